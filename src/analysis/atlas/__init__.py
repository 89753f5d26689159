"""The atlas: comparisons over problems, budgets and capacities, as a grid."""
