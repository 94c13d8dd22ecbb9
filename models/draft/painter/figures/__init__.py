"""People (and the animals and robots that act as people): how they look and how they are drawn."""
