"""One job of a sweep, and what a process needs loaded to run many."""
