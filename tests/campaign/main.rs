//! Campaigns against servers of which it is known what is wrong with them.

mod family;
mod found;
