//! The model: one situation each.
use super::*;
