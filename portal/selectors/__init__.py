"""What the pages of the portal show, composed from the apps below in a constant number of queries each."""
