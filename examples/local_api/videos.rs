//! The videos: made by who has the key, or by the first part that a token brings, and found by both.

use std::collections::HashMap;

use serde_json::{Value, json};
use time::OffsetDateTime;

use crate::content_range::ContentRange;
use crate::date::atom_utc;
use crate::problem::Problem;
use crate::sizes::Sizes;
use crate::source::Source;
use crate::upload::Content;

/// What who makes a video says of it.
#[derive(Debug)]
pub struct Description {
    pub title: String,
    pub description: Option<String>,
    pub public: bool,
    pub mp4_support: bool,
}

impl Description {
    /// Of what is uploaded with a token alone: anyone may see it, and its title is the file's name.
    pub fn of_file(name: &str) -> Self {
        // Some clients tell the whole path.
        let title = name.rsplit(['/', '\\']).next().unwrap_or(name).to_owned();
        Self { title, description: None, public: true, mp4_support: true }
    }
}

pub struct Video {
    id: String,
    description: Description,
    /// In the addresses of a private one: whoever has it may watch.
    private_token: String,
    created_at: OffsetDateTime,
    updated_at: OffsetDateTime,
    published_at: Option<OffsetDateTime>,
    source: Source,
    /// The order of creation.
    sequence: u64,
}

impl Video {
    /// Takes in a piece of its source, or says why not.
    pub fn take(
        &mut self,
        range: &ContentRange,
        content: Content,
        sizes: &Sizes,
    ) -> Result<(), Problem> {
        self.source.take(range, content, sizes).map_err(|it| Problem::refused(it, []))?;
        self.updated_at = OffsetDateTime::now_utc();
        if self.source.is_whole() {
            self.published_at = Some(self.updated_at);
        }
        Ok(())
    }

    /// Until its source is whole, an upload is told no more than where to go on.
    pub fn to_upload_answer(&self) -> Value {
        if self.source.is_whole() { self.to_json() } else { json!({ "videoId": self.id }) }
    }

    pub fn to_json(&self) -> Value {
        let Description { title, description, public, mp4_support } = &self.description;
        let mut video = json!({
            "videoId": self.id,
            "title": title,
            "public": public,
            "panoramic": false,
            "mp4Support": mp4_support,
            "tags": [],
            "metadata": [],
            "createdAt": atom_utc(self.created_at),
            "updatedAt": atom_utc(self.updated_at),
            "discarded": false,
            "discardedAt": null,
            "deletesAt": null,
            "source": { "uri": format!("/videos/{}/source", self.id) },
            "assets": self.assets(),
        });
        if let Some(description) = description {
            video["description"] = json!(description);
        }
        if let Some(published_at) = self.published_at {
            video["publishedAt"] = json!(atom_utc(published_at));
        }
        video
    }

    fn assets(&self) -> Value {
        let Self { id, private_token, .. } = self;
        let (player, files) = if self.description.public {
            (format!("https://embed.api.video/vod/{id}"), format!("https://cdn.api.video/vod/{id}"))
        } else {
            (
                format!("https://embed.api.video/vod/{id}?token={private_token}"),
                format!("https://cdn.api.video/vod/{id}/token/{private_token}"),
            )
        };
        let mut assets = json!({
            "iframe": format!(
                r#"<iframe src="{player}" width="100%" height="100%" frameborder="0" scrolling="no" allowfullscreen=""></iframe>"#
            ),
            "player": player,
            "hls": format!("{files}/hls/manifest.m3u8"),
            "thumbnail": format!("{files}/thumbnail.jpg"),
        });
        if self.description.mp4_support {
            assets["mp4"] = json!(format!("{files}/mp4/source.mp4"));
        }
        assets
    }

    /// Nothing is encoded here: what is whole counts as playable.
    pub fn to_status(&self) -> Value {
        json!({
            "ingest": self.source.to_status(),
            "encoding": {
                "playable": self.source.is_whole(),
                "qualities": [],
                "metadata": {},
            },
        })
    }

    fn to_ledger(&self) -> Value {
        let mut told = self.source.to_ledger();
        told["videoId"] = json!(self.id);
        told["title"] = json!(self.description.title);
        told
    }
}

#[derive(Default)]
pub struct Videos {
    videos: HashMap<String, Video>,
    created: u64,
}

impl Videos {
    /// Not among the others yet: see `add`.
    pub fn new_video(&self, description: Description) -> Video {
        let now = OffsetDateTime::now_utc();
        Video {
            id: format!("vi{}", random(22)),
            description,
            private_token: random(32),
            created_at: now,
            updated_at: now,
            published_at: None,
            source: Source::new(),
            sequence: 0,
        }
    }

    pub fn add(&mut self, video: Video) -> &Video {
        self.created += 1;
        let video = Video { sequence: self.created, ..video };
        self.videos.entry(video.id.clone()).or_insert(video)
    }

    pub fn find(&self, id: &str) -> Option<&Video> {
        self.videos.get(id)
    }

    pub fn find_mut(&mut self, id: &str) -> Option<&mut Video> {
        self.videos.get_mut(id)
    }

    /// All of them, oldest first, and those of which a part came and another did not.
    pub fn to_ledger(&self) -> Value {
        let mut videos: Vec<&Video> = self.videos.values().collect();
        videos.sort_by_key(|video| video.sequence);
        let is_unfinished = |video: &&&Video| video.source.is_begun() && !video.source.is_whole();
        json!({
            "videos": videos.iter().map(|video| video.to_ledger()).collect::<Vec<_>>(),
            "unfinished": videos.iter().filter(is_unfinished).map(|it| &it.id).collect::<Vec<_>>(),
        })
    }
}

fn random(length: usize) -> String {
    std::iter::repeat_with(fastrand::alphanumeric).take(length).collect()
}
