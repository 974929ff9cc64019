"""One file a shell: what it reads once (`SCRIPT`), and what it asks and is told at a TAB.

    read(words)              what the script hands over → what was typed
    write(typed, found)      the lines that the script takes

zsh and fish put quotes around what they insert by themselves; bash does not. The scripts put no
space behind a word that ends in one of `=/:,@`: it goes on.
"""
