// Stands in for `electron` in tests: whatever touches it must be given a double of its own.
export {}
