//! Reference data: response codes, Warning codes, Q.850 causes, and their look-up.
