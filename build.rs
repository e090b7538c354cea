//! Puts the commit and the cargo features into the program, for `standin --version`.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=STANDIN_COMMIT");
    let commit = env::var("STANDIN_COMMIT").ok().filter(|commit| is_plain(commit));
    let commit = commit.or_else(commit_of_the_checkout).unwrap_or_else(|| "unknown".to_owned());
    println!("cargo::rustc-env=STANDIN_COMMIT={commit}");
    println!("cargo::rustc-env=STANDIN_FEATURES={}", features());
}

/// The commit that is checked out here. Builds for development do without, as each commit would have them built anew.
fn commit_of_the_checkout() -> Option<String> {
    if env::var("PROFILE").ok()? != "release" {
        return None;
    }
    let folder = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR")?);
    // Sources that lie within another project's checkout have no commit of their own.
    let top = git(&folder, &["rev-parse", "--show-toplevel"])?;
    if fs::canonicalize(top).ok()? != fs::canonicalize(&folder).ok()? {
        return None;
    }
    // Git writes a line there with each commit and checkout; in a worktree `.git` is a file that names the place.
    let log = folder.join(git(&folder, &["rev-parse", "--git-path", "logs/HEAD"])?);
    if log.is_file() {
        println!("cargo::rerun-if-changed={}", log.display());
    }
    git(&folder, &["rev-parse", "--short=12", "HEAD"]).filter(|commit| is_plain(commit))
}

/// What git answers; nothing where there is no git or no repository.
fn git(folder: &Path, arguments: &[&str]) -> Option<String> {
    let done = Command::new("git").current_dir(folder).args(arguments).output().ok()?;
    let text = String::from_utf8(done.stdout).ok().filter(|_| done.status.success())?;
    Some(text.trim().to_owned())
}

/// Whether it can be a part of a line.
fn is_plain(commit: &str) -> bool {
    !commit.is_empty()
        && commit.len() <= 64
        && commit.chars().all(|c| c.is_ascii_alphanumeric() || "-._+".contains(c))
}

/// The names of the features of this build.
fn features() -> String {
    let mut names: Vec<_> = env::vars_os()
        .filter_map(|(name, _)| name.into_string().ok())
        .filter_map(|name| Some(name.strip_prefix("CARGO_FEATURE_")?.to_ascii_lowercase().replace('_', "-")))
        .filter(|name| name != "default")
        .collect();
    names.sort_unstable();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
