"""The resource catalog, grants, their division over clouds, and capacity."""
