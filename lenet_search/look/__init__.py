"""How results look: the theme of pictures, the page around them, intervals, and progress on a terminal."""
