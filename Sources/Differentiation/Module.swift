// Filled in by the first sources of this module.
