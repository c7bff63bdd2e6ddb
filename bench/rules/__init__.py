"""Quality rules measured: agreement of each rule with datatrove's, and what each pack drops of good and of bad text."""
