"""The dock that augments a data set."""
