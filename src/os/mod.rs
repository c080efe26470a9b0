//! What is the platform's own.

pub(crate) mod futex;
pub(crate) mod privileges;
pub(crate) mod wiped_page;
