//! Reading: windows of frames go to workers, their batches come back in the order of capture.
//!
//! Workers take turns at the reader, so that the input is read once and in order, and parse in parallel; one thread stores what
//! they found. The result does not depend on how many workers there are.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError, mpsc};

use crate::analysis::batch::Batch;
use crate::analysis::collector::Collector;
use crate::capture::{Reader, Times, Window};
use crate::sip::Seed;

/// Batches in flight for each worker: one being filled, others waiting to be stored.
const BATCHES_PER_WORKER: usize = 2;

/// Reads a capture to its end into `lane` of `collector`; `progress` hears of the stored bytes read so far.
pub(super) fn read(
    reader: &mut Reader,
    lane: usize,
    workers: usize,
    seed: &Seed,
    collector: &mut Collector,
    progress: &mut dyn FnMut(u64),
) -> Times {
    let mut times = Times::default();
    let mut store = |batch: &Batch| {
        collector.push(lane, batch);
        times.append(&batch.times);
        progress(batch.position);
    };
    if workers < 2 {
        let (mut window, mut batch) = (Window::new(), Batch::default());
        while reader.next_window(&mut window) {
            batch.clear();
            batch.read(&window, seed);
            batch.position = reader.position();
            batch.secrets.extend_from_slice(reader.new_secrets());
            store(&batch);
        }
    } else {
        read_in_parallel(reader, workers, seed, &mut store);
    }
    times
}

/// Where batches come from and go to.
struct WindowQueue<'a> {
    /// The reader, and the number of the next window.
    turn: Mutex<(&'a mut Reader, u64)>,
    /// Batches that wait to be filled.
    empty: Mutex<mpsc::Receiver<Batch>>,
    seed: &'a Seed,
}

impl WindowQueue<'_> {
    /// Fills a batch from the next window; `None` at the end of the input.
    fn fill(&self, mut batch: Batch, window: &mut Window) -> Option<(u64, Batch)> {
        batch.clear();
        let number = {
            let mut turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
            if !turn.0.next_window(window) {
                return None;
            }
            batch.position = turn.0.position();
            batch.secrets.extend_from_slice(turn.0.new_secrets());
            turn.1 += 1;
            turn.1 - 1
        };
        batch.read(window, self.seed);
        Some((number, batch))
    }

    /// A batch to fill, waited for.
    fn wait(&self) -> Option<Batch> {
        let empty = self.empty.lock().unwrap_or_else(PoisonError::into_inner);
        empty.recv().ok()
    }

    /// A batch to fill, if there is one and nobody waits for one.
    fn spare(&self) -> Option<Batch> {
        self.empty.try_lock().ok()?.try_recv().ok()
    }
}

fn read_in_parallel(reader: &mut Reader, workers: usize, seed: &Seed, store: &mut dyn FnMut(&Batch)) {
    let (free, empty) = mpsc::channel::<Batch>();
    for _ in 0..workers * BATCHES_PER_WORKER {
        // The receiver lives as long as this function, so the batch arrives.
        let _ = free.send(Batch::default());
    }
    let queue = WindowQueue { turn: Mutex::new((reader, 0)), empty: Mutex::new(empty), seed };
    let (done, filled) = mpsc::channel::<(u64, Batch)>();
    std::thread::scope(|scope| {
        for _ in 1..workers {
            let (done, queue) = (done.clone(), &queue);
            scope.spawn(move || {
                let mut window = Window::new();
                while let Some(filled) = queue.wait().and_then(|batch| queue.fill(batch, &mut window))
                    && done.send(filled).is_ok()
                {}
            });
        }
        drop(done);
        store_in_order(&queue, &filled, &free, store);
    });
}

/// Stores batches in the order of their windows. While the next one is not there yet, this thread fills one itself: storing is less
/// than half of the work, and a thread that only waits would have to be woken for each batch.
fn store_in_order(
    queue: &WindowQueue<'_>,
    filled: &mpsc::Receiver<(u64, Batch)>,
    free: &mpsc::Sender<Batch>,
    store: &mut dyn FnMut(&Batch),
) {
    let mut early: BTreeMap<u64, Batch> = BTreeMap::new();
    let mut window = Window::new();
    let mut next = 0;
    let mut is_over = false;
    loop {
        early.extend(filled.try_iter());
        if let Some(batch) = early.remove(&next) {
            store(&batch);
            next += 1;
            let _ = free.send(batch);
        } else if !is_over && let Some(batch) = queue.spare() {
            match queue.fill(batch, &mut window) {
                Some((number, batch)) => {
                    early.insert(number, batch);
                }
                None => is_over = true,
            }
        } else if let Ok((number, batch)) = filled.recv() {
            early.insert(number, batch);
        } else if early.is_empty() {
            return;
        }
    }
}
