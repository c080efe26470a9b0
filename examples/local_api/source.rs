//! What has arrived of a video's source: which piece goes with those before it, and the digests of
//! each and of all. Pieces may come in any order; the digest of all takes each as soon as those
//! before it are there, and the spool keeps it until then.

use std::collections::BTreeMap;

use ring::digest::{Context, Digest, SHA256};
use serde_json::{Value, json};

use crate::content_range::{ContentRange, Form};
use crate::problem::Violation;
use crate::range_problem;
use crate::sizes::Sizes;
use crate::spool::Slot;
use crate::upload::Content;

pub struct Source {
    /// Of the first piece that came.
    form: Form,
    total: Option<u64>,
    /// By the place of their beginning.
    pieces: BTreeMap<u64, Piece>,
    bytes: u64,
    /// The digest of all before the place `next`.
    joined: Context,
    next: u64,
}

struct Piece {
    last: u64,
    bytes: u64,
    digest: Digest,
    /// Times that it came whole, refused ones among them.
    received: u64,
    waiting: Option<Slot>,
}

impl Source {
    pub fn new() -> Self {
        Self {
            form: Form::Whole,
            total: None,
            pieces: BTreeMap::new(),
            bytes: 0,
            joined: Context::new(&SHA256),
            next: 0,
        }
    }

    pub fn is_begun(&self) -> bool {
        !self.pieces.is_empty()
    }

    pub fn is_whole(&self) -> bool {
        self.is_begun() && self.total.is_some_and(|total| self.next == self.form.end(total))
    }

    /// Takes a piece in, or says why not; then nothing has changed but that it has come once more.
    pub fn take(
        &mut self,
        range: &ContentRange,
        content: Content,
        sizes: &Sizes,
    ) -> Result<(), Violation> {
        let checked = self.check(range, content.tally.bytes(), sizes);
        if checked.is_err() {
            let again = self.pieces.get_mut(&range.first).filter(|it| it.last == range.last);
            if let Some(piece) = again.filter(|_| self.form == range.form) {
                piece.received += 1;
            }
        }
        checked?;
        self.add(range, content);
        Ok(())
    }

    fn check(&self, range: &ContentRange, bytes: u64, sizes: &Sizes) -> Result<(), Violation> {
        if self.is_whole() {
            return Err(already_uploaded());
        }
        if self.is_begun() {
            self.check_form(range.form)?;
        }
        self.check_total(range)?;
        self.check_overlap(range)?;
        let total = range.total.or(self.total);
        let is_last = total.is_some_and(|total| range.last + 1 == range.form.end(total));
        if !is_last && bytes < sizes.smallest_part {
            return Err(range_problem::too_small(range.form, sizes.smallest_part));
        }
        if self.bytes + bytes > sizes.largest_source {
            return Err(Violation::file_too_large("a source", sizes.largest_source));
        }
        Ok(())
    }

    fn check_form(&self, form: Form) -> Result<(), Violation> {
        match (self.form, form) {
            (begun, form) if begun == form => Ok(()),
            (_, Form::Whole) => Err(range_problem::already_initiated()),
            (_, Form::Bytes) => Err(range_problem::started_with_part()),
            (_, Form::Parts) => Err(range_problem::started_with_bytes()),
        }
    }

    fn check_total(&self, range: &ContentRange) -> Result<(), Violation> {
        match (self.total, range.total) {
            (Some(known), Some(total)) if known != total => {
                Err(range_problem::different_total(range.form, known))
            }
            (Some(known), None) if range.last >= range.form.end(known) => {
                Err(range_problem::too_high_total(range.form, known))
            }
            (None, Some(total)) => {
                match self.pieces.iter().find(|(_, it)| it.last >= range.form.end(total)) {
                    Some((first, it)) => {
                        Err(range_problem::total_too_low(range.form, *first, it.last))
                    }
                    None => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }

    fn check_overlap(&self, range: &ContentRange) -> Result<(), Violation> {
        let before = self.pieces.range(..=range.last).next_back();
        match before.filter(|(_, piece)| piece.last >= range.first) {
            Some((first, piece)) => {
                Err(range_problem::already_sent(range.form, *first, piece.last))
            }
            None => Ok(()),
        }
    }

    fn add(&mut self, range: &ContentRange, content: Content) {
        if !self.is_begun() {
            self.form = range.form;
            self.next = range.form.start();
        }
        self.total = self.total.or(range.total);
        let bytes = content.tally.bytes();
        if range.is_first() {
            // What is first has waited for nothing.
            self.joined = content.digest.clone();
            self.next = range.last + 1;
        }
        let digest = content.digest.finish();
        let waiting = content.slot;
        self.pieces
            .insert(range.first, Piece { last: range.last, bytes, digest, received: 1, waiting });
        self.bytes += bytes;
        content.tally.keep();
        self.join();
    }

    /// A spool that cannot be read back ends the request: there would be nothing true to tell.
    fn join(&mut self) {
        while let Some(piece) = self.pieces.get_mut(&self.next) {
            if let Some(slot) = piece.waiting.take() {
                slot.read(piece.bytes, |bytes| self.joined.update(bytes))
                    .expect("what was spooled can be read");
            }
            self.next = piece.last + 1;
        }
    }

    /// What the service publishes of it: null before anything has come.
    pub fn to_status(&self) -> Value {
        if !self.is_begun() {
            return Value::Null;
        }
        let of_form = |form| self.form == form;
        let bytes: Vec<Value> = self
            .pieces
            .iter()
            .filter(|_| of_form(Form::Bytes))
            .map(|(first, it)| json!({ "from": first, "to": it.last, "total": self.total }))
            .collect();
        let parts: Vec<&u64> = self.pieces.keys().filter(|_| of_form(Form::Parts)).collect();
        let total = self.total.filter(|_| of_form(Form::Parts));
        let whole = self.is_whole();
        json!({
            "status": if whole { "uploaded" } else { "uploading" },
            "filesize": whole.then_some(self.bytes),
            "receivedBytes": bytes,
            "receivedParts": { "parts": parts, "total": total },
        })
    }

    /// What the ledger tells of it.
    pub fn to_ledger(&self) -> Value {
        let pieces = self.pieces.iter().map(|(first, piece)| {
            let mut told = json!({
                "bytes": piece.bytes,
                "sha256": hexadecimal(&piece.digest),
                "received": piece.received,
            });
            if self.form == Form::Bytes {
                told["from"] = json!(first);
                told["to"] = json!(piece.last);
            } else {
                told["part"] = json!(first);
            }
            told
        });
        let whole = self.is_whole();
        json!({
            "whole": whole,
            "bytes": self.bytes,
            "sha256": whole.then(|| hexadecimal(&self.joined.clone().finish())),
            "parts": pieces.collect::<Vec<_>>(),
        })
    }
}

fn hexadecimal(digest: &Digest) -> String {
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// As the example of the published document has it.
fn already_uploaded() -> Violation {
    let title = "The source of the video is already uploaded.";
    Violation::upload("video-source-already-uploaded", "file", title)
}
