"""What may not be asked for and what may not be shown: an interface an operator can implement, and one that ships."""
