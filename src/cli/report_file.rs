//! Reports that are asked for as `KIND=FILE`.

use std::{path::PathBuf, str::FromStr};

use super::{
    error::{Error, one_line},
    output::Target,
};

/// The kinds of reports that a command writes.
pub(super) trait ReportKind: Copy + 'static {
    /// Each with its name, in the order in which people are told of them.
    const NAMES: &'static [(&'static str, Self)];
}

/// A report and where it goes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct ReportFile<K> {
    kind: K,
    file: PathBuf,
}

impl<K: ReportKind> FromStr for ReportFile<K> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (name, file) = text.split_once('=').unwrap_or_default();
        match K::NAMES.iter().find(|(own, _)| *own == name) {
            Some((_, kind)) if !file.is_empty() => Ok(Self { kind: *kind, file: file.into() }),
            _ => Err(expected::<K>()),
        }
    }
}

fn expected<K: ReportKind>() -> String {
    let names: Vec<_> = K::NAMES.iter().map(|(name, _)| format!("{name}=FILE")).collect();
    match names.split_last() {
        Some((last, others)) if !others.is_empty() => format!("expected {} or {last}", others.join(", ")),
        _ => format!("expected {}", names.concat()),
    }
}

/// Finds out now whether the files can be written, and whether each report has one of its own.
pub(super) fn targets<'a, K: ReportKind>(
    wanted: impl IntoIterator<Item = &'a ReportFile<K>>,
) -> Result<Vec<(K, Target)>, Error> {
    let (mut targets, mut places) = (Vec::new(), Vec::new());
    for ReportFile { kind, file } in wanted {
        let target = Target::new(file)?;
        if places.contains(&target.place()) {
            return Err(Error::usage(format!(
                "expected a file of its own for each report, but found {} twice",
                one_line(&file.display().to_string())
            )));
        }
        places.push(target.place());
        targets.push((*kind, target));
    }
    Ok(targets)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Copy, Debug, Eq, PartialEq)]
    enum Kind {
        Long,
        Short,
    }

    impl ReportKind for Kind {
        const NAMES: &'static [(&'static str, Self)] = &[("short", Self::Short), ("long", Self::Long)];
    }

    #[test]
    fn a_report_has_a_kind_and_a_file() {
        assert_eq!("long=a=b".parse(), Ok(ReportFile { kind: Kind::Long, file: "a=b".into() }));
        for wrong in ["", "long", "long=", "pdf=a", "=a"] {
            let error = wrong.parse::<ReportFile<Kind>>().unwrap_err();
            assert_eq!(error, "expected short=FILE or long=FILE");
        }
    }

    #[test]
    fn two_reports_are_never_one_file() {
        let folder = std::env::temp_dir();
        let report = |kind, file: &str| ReportFile { kind, file: folder.join(file) };
        let same = [report(Kind::Long, "standin-report"), report(Kind::Short, "./standin-report")];
        let error = targets(&same).unwrap_err().to_string();
        assert!(error.contains("expected a file of its own for each report"), "{error}");
        let kinds = targets(&[report(Kind::Long, "standin-a"), report(Kind::Short, "standin-b")]).unwrap();
        assert_eq!(kinds.iter().map(|(kind, _)| *kind).collect::<Vec<_>>(), [Kind::Long, Kind::Short]);
    }
}
