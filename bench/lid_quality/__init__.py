"""Quality of language identification on labelled text: Chinese in every form, short strings, and 80 other languages."""
