"""The counts that the signals are made of: one column each in the table that the kernels fill, by name and by number.

To add a count, append its name here with what it counts, and add to `out[NAME]` in the kernel that meets it.
"""

COUNTS = (
    "bytes",  # UTF-8
    "chars",  # code points
    "visible",  # code points, neither white space nor control or format characters
    "han",
    "kana",
    "hangul",
    "latin",
    "upper",  # of these, capitals
    "letters",  # of all scripts, ideographs and kana included
    "digits",
    "punct",
    "symbols",
    # words: see stages/signals_kernel.py for where one ends
    "spaced_words",  # of scripts that are written with spaces
    "spaced_word_chars",
    "alpha_spaced_words",  # of these, with a letter
    "caps_words",  # of these, whose letters are all capitals
    "marks",  # punctuation and symbols that stand for themselves; hyphens and full stops in a row are one
    "longest_word_chars",  # between white space, Han and kana apart
    "stop_words_en",  # how many of eight English stop words occur, in small letters
    "stop_hits_en",  # how often any of them occurs, in any case
    "stop_words_zh",  # how many of 22 Chinese stop characters occur
    "stop_hits_zh",
    "hashes",  # the character #
    "ellipses",  # U+2026, and three full stops in a row, ASCII or ideographic
    "urls",  # "://"
    "braces",  # { and }
    "replacement",  # U+FFFD
    "mojibake_zh",  # of GBK confusion: three known triples
    "mojibake_latin",  # accented letters in UTF-8 read as Latin-1: U+00C2 or U+00C3 before U+00A1 to U+00BF
    "lorem_ipsum",
    "bracketed",  # characters between 【 and 】 of one line
    # lines with a visible character; their characters from the first to the last visible one
    "line_feeds",
    "lines",
    "line_chars",
    "longest_line_chars",
    "second_line_chars",
    "third_line_chars",
    "stopped_lines",  # that end with a full stop, question mark or exclamation mark
    "ended_lines",  # or with a closing quotation mark or bracket, or with a colon, semicolon or ellipsis
    "short_lines",  # of 30 columns or fewer, wide characters being two columns
    "bullet_lines",
    "ellipsis_lines",
    "readmore_lines",  # that end with "read more", 更多, 展开
    "javascript_lines",
    "policy_lines",
    "line_words",  # between white space
    "refinedweb_words",  # of these, in lines that RefinedWeb's corrections remove
    "sentences",
    "c4_sentences",  # in lines that C4 keeps
    "c4_any_end_sentences",  # in lines that C4 would keep without its rule on how lines end
    "dup_lines",  # equal to an earlier line of the document, word by word
    "dup_line_chars",
    "paragraphs",  # lines between empty lines
    "dup_paragraphs",
    "dup_paragraph_chars",
    # repetition: see stages/repetition.py
    "unique_words",
    "measured_words",
    "top_2gram_chars",
    "top_3gram_chars",
    "top_4gram_chars",
    "dup_5gram_chars",
    "dup_6gram_chars",
    "dup_7gram_chars",
    "dup_8gram_chars",
    "dup_9gram_chars",
    "dup_10gram_chars",
    "repeated_8grams",  # windows that occur twice or more
    "windows_8gram",
    "distinct_chars",  # distinct visible code points
    "long_numbers",  # of 7 to 12 ASCII digits without a mark between
    "ranked_pairs",  # neighbours that are both Han characters of a dictionary's words
    "known_pairs",  # of these, neighbours in a word
)
(
    BYTES, CHARS, VISIBLE, HAN_CHARS, KANA_CHARS, HANGUL_CHARS, LATIN_CHARS, UPPER, LETTERS, DIGITS, PUNCTS, SYMBOLS,
    SPACED_WORDS, SPACED_WORD_CHARS, ALPHA_SPACED_WORDS, CAPS_WORDS, MARKS, LONGEST_WORD_CHARS, STOP_WORDS_EN,
    STOP_HITS_EN, STOP_WORDS_ZH, STOP_HITS_ZH, HASHES, ELLIPSES, URLS, BRACES, REPLACEMENT, MOJIBAKE_ZH,
    MOJIBAKE_LATIN, LOREM_IPSUM, BRACKETED, LINE_FEEDS, LINES, LINE_CHARS, LONGEST_LINE_CHARS, SECOND_LINE_CHARS,
    THIRD_LINE_CHARS, STOPPED_LINES, ENDED_LINES, SHORT_LINES, BULLET_LINES, ELLIPSIS_LINES, READMORE_LINES,
    JAVASCRIPT_LINES, POLICY_LINES, LINE_WORDS, REFINEDWEB_WORDS, SENTENCES, C4_SENTENCES, C4_ANY_END_SENTENCES,
    DUP_LINES, DUP_LINE_CHARS, PARAGRAPHS, DUP_PARAGRAPHS, DUP_PARAGRAPH_CHARS, UNIQUE_WORDS, MEASURED_WORDS,
    TOP_2GRAM_CHARS, TOP_3GRAM_CHARS, TOP_4GRAM_CHARS, DUP_5GRAM_CHARS, DUP_6GRAM_CHARS, DUP_7GRAM_CHARS,
    DUP_8GRAM_CHARS, DUP_9GRAM_CHARS, DUP_10GRAM_CHARS, REPEATED_8GRAMS, WINDOWS_8GRAM, DISTINCT_CHARS,
    LONG_NUMBERS, RANKED_PAIRS, KNOWN_PAIRS,
) = range(len(COUNTS))  # fmt: skip
