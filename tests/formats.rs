//! Reports, through the front door: what a screen, a program and a spreadsheet get of one analysis, whatever the wire said.

#[path = "formats/csv.rs"]
mod csv;
#[path = "formats/explanations.rs"]
mod explanations;
#[path = "formats/json.rs"]
mod json;
#[path = "formats/made.rs"]
mod made;
#[path = "formats/screen.rs"]
mod screen;
