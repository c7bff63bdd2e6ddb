"""Where the walk over a page stands: numbers that the kernels of several files read and change.

state   (STATE,) int64: the block that is being written, how many elements are open, what is left out, and the formula
        that we are in
stack   (MAX_DEPTH + 1, ENTRY) int64: one entry for each open element, and number 0 for the page: its tag, and what its
        content stands in
"""

MAX_DEPTH = 256  # of open elements; deeper ones break blocks, and are not remembered

# Slots of the state.
(
    TO, FROM,  # in the text: where the next byte goes, and where the block begins
    PENDING,  # white space that a visible character behind it would be parted by: 1 = space, 2 = line break
    INDENT,  # spaces before the first visible character, in `pre`
    LAST,  # the character written last
    WIDTH, LINK_WIDTH, BOLD_WIDTH, LINKS,  # of the block
    AFTER_BR,  # the block begins behind a <br>
    IN_FLAGS, IN_NEAR, IN_ALL, IN_ELEMENT, IN_DEPTH, IN_ROW,  # what the block's first character stands in
    BLOCKS, ELEMENTS, MARKED,  # how many there are
    OPEN,  # open elements: the number of the last entry of the stack
    LOST,  # elements that are open beyond MAX_DEPTH
    SKIPPED,  # the element whose content is left out, 0 = none
    INSIDE, SAME,  # elements open within it, and how many of these have its name
    FORMULA, FORMULA_WIDTH,  # where the formula begins in the text, -1 = in none; the block's width before it
) = range(26)  # fmt: skip
STATE = 26

# Columns of the stack.
TAG = 0
FLAGS = 1  # html_tags.IN_...
NEAR, ALL = 2, 3  # categories of the nearest class or id that has any, and of all above
ELEMENT = 4  # number of the nearest element that is a block
ROW = 5  # number of the table row, -1 = none
ENTRY = 6
