"""Models: networks, what they predict, their files and the library of them."""
