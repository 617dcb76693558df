//! Reading: windows of frames go to workers, their batches come back in the order of capture.
//!
//! Workers take turns at the reader, so that the input is read once and in order, and parse in parallel; one thread files what
//! they found. The result does not depend on how many workers there are.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError, mpsc};

use crate::analysis::batch::Batch;
use crate::analysis::collector::Collector;
use crate::call::Seed;
use crate::capture::{Reader, Times, Window};

/// Batches in flight for each worker: one being filled, one waiting to be filed.
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
    let mut file = |batch: &Batch| {
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
            file(&batch);
        }
    } else {
        read_in_parallel(reader, workers, seed, &mut file);
    }
    times
}

fn read_in_parallel(
    reader: &mut Reader,
    workers: usize,
    seed: &Seed,
    file: &mut dyn FnMut(&Batch),
) {
    let turn = Mutex::new((reader, 0_u64));
    let (free, empty) = mpsc::channel::<Batch>();
    for _ in 0..workers * BATCHES_PER_WORKER {
        // The receiver lives as long as this function, so the batch arrives.
        let _ = free.send(Batch::default());
    }
    let empty = Mutex::new(empty);
    let (done, filled) = mpsc::channel::<(u64, Batch)>();
    std::thread::scope(|scope| {
        for _ in 0..workers {
            let done = done.clone();
            let (turn, empty) = (&turn, &empty);
            scope.spawn(move || work(turn, empty, &done, seed));
        }
        drop(done);
        let mut early: BTreeMap<u64, Batch> = BTreeMap::new();
        let mut next = 0;
        for (number, batch) in filled {
            early.insert(number, batch);
            while let Some(batch) = early.remove(&next) {
                file(&batch);
                next += 1;
                let _ = free.send(batch);
            }
        }
    });
}

fn work(
    turn: &Mutex<(&mut Reader, u64)>,
    empty: &Mutex<mpsc::Receiver<Batch>>,
    done: &mpsc::Sender<(u64, Batch)>,
    seed: &Seed,
) {
    let mut window = Window::new();
    loop {
        let Ok(mut batch) = empty.lock().unwrap_or_else(PoisonError::into_inner).recv() else {
            return;
        };
        batch.clear();
        let number = {
            let mut turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
            if !turn.0.next_window(&mut window) {
                return;
            }
            batch.position = turn.0.position();
            batch.secrets.extend_from_slice(turn.0.new_secrets());
            turn.1 += 1;
            turn.1 - 1
        };
        batch.read(&window, seed);
        if done.send((number, batch)).is_err() {
            return;
        }
    }
}
