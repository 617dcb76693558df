//! JUnit XML of a check or comparison, one test case for each expectation, as Jenkins and GitLab read it.
//!
//! Source: the schema junit-10.xsd of the Jenkins xunit plugin; GitLab takes `classname` for the suite and drops a case
//! whose class and name another one has. Written here rather than by a library because that schema knows neither
//! properties of a case nor counts of disabled ones.

use std::io::{self, Write};

use crate::check::{Judgement, Status, Verdict};
use crate::report::escape;

/// Writes the document.
///
/// # Errors
/// Whatever `out` returns.
pub fn write(judgement: &Judgement, out: &mut dyn Write) -> io::Result<()> {
    let (holds, fails, waived) = judgement.counts();
    let tests = holds + fails + waived;
    let suite = format!("sipscan {}", judgement.task);
    writeln!(out, r#"<?xml version="1.0" encoding="UTF-8"?>"#)?;
    writeln!(out, r#"<testsuites name="{suite}" tests="{tests}" failures="{fails}" errors="0">"#)?;
    writeln!(out, r#"  <testsuite name="{suite}" tests="{tests}" failures="{fails}" errors="0" skipped="{waived}">"#)?;
    writeln!(out, "    <properties>")?;
    property(out, "sipscan", env!("CARGO_PKG_VERSION"))?;
    if !judgement.policy.is_empty() {
        property(out, "policy", &judgement.policy)?;
    }
    let baseline = judgement.comparison.iter().flat_map(|of| &of.baseline);
    for capture in baseline {
        property(out, "baseline", capture)?;
    }
    for capture in &judgement.captures {
        property(out, "capture", capture)?;
    }
    property(out, "calls", &judgement.calls.to_string())?;
    writeln!(out, "    </properties>")?;
    for verdict in &judgement.verdicts {
        case(judgement, verdict, out)?;
    }
    writeln!(out, "  </testsuite>\n</testsuites>")
}

fn property(out: &mut dyn Write, name: &str, value: &str) -> io::Result<()> {
    let value = escape::xml(value);
    writeln!(out, r#"      <property name="{name}" value="{value}"/>"#)
}

fn case(judgement: &Judgement, verdict: &Verdict, out: &mut dyn Write) -> io::Result<()> {
    let class = format!("sipscan.{}.{}", judgement.task, verdict.kind.word());
    write!(out, r#"    <testcase classname="{class}" name="{}" time="0""#, escape::xml(&verdict.name))?;
    match &verdict.status {
        Status::Holds => writeln!(out, "/>"),
        Status::Waived(reason) => {
            // GitLab shows the content of an element alone, Jenkins its message as well.
            let (reason, said) = (escape::xml(reason), escape::xml(&verdict.said));
            writeln!(out, ">")?;
            writeln!(out, r#"      <skipped message="accepted: {reason}">accepted: {reason}; {said}</skipped>"#)?;
            writeln!(out, "    </testcase>")
        }
        Status::Fails => {
            let said = escape::xml(&verdict.said);
            writeln!(out, ">")?;
            write!(out, r#"      <failure message="{said}" type="{}">{said}"#, verdict.kind.word())?;
            for line in judgement.proof_lines(verdict) {
                write!(out, "\n{}", escape::xml(&line))?;
            }
            writeln!(out, "</failure>\n    </testcase>")
        }
    }
}
