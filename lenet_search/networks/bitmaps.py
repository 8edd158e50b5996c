"""The ten digits as figures of 7x12 pixels: the fixed targets of LeNet-5's output units (LeCun et al. 1998, II.B).

The figures are drawn for this project in the manner of the paper's figure 3, which it prints without numbers.
"""

import numpy as np

HEIGHT, WIDTH = 12, 7
FIGURES = """
.......  .......  .......  .......  .......  .......  .......  .......  .......  .......
..###..  ...##..  ..###..  .#####.  .....#.  #######  ..####.  #######  ..###..  ..###..
.##.##.  ..###..  .##.##.  ##...##  ....##.  ##.....  .##....  .....##  .##.##.  .##.##.
##...##  .####..  ##...##  .....##  ...###.  ##.....  ##.....  .....##  ##...##  ##...##
##...##  ...##..  .....##  .....##  ..####.  ##.....  ##.....  ....##.  ##...##  ##...##
##...##  ...##..  ....##.  ..####.  .##.##.  ######.  ##.###.  ....##.  .#####.  ##...##
##...##  ...##..  ...##..  .....##  ##..##.  .....##  ###..##  ...##..  .##.##.  ##..###
##...##  ...##..  ..##...  .....##  #######  .....##  ##...##  ...##..  ##...##  .###.##
##...##  ...##..  .##....  .....##  ....##.  .....##  ##...##  ..##...  ##...##  .....##
.##.##.  ...##..  ##.....  ##...##  ....##.  ##...##  .##.##.  ..##...  .##.##.  ....##.
..###..  .######  #######  .#####.  ....##.  .#####.  ..###..  ..##...  ..###..  .####..
.......  .......  .......  .......  .......  .......  .......  .......  .......  .......
"""


def bitmaps(classes: int) -> np.ndarray:
    """The figures of the first `classes` digits, at most ten: float32 (classes, 84), 1 for ink and -1 elsewhere."""
    rows = [row.split() for row in FIGURES.strip().splitlines()]
    digits = ["".join(row[digit] for row in rows) for digit in range(10)]
    ink = np.array([[pixel == "#" for pixel in digit] for digit in digits])
    return np.where(ink, 1.0, -1.0).astype(np.float32)[:classes]
