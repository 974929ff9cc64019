"""One file a shell: what it reads once (`SCRIPT`), and what it asks and is told at a TAB.

    read(words)              what the script hands over → what was typed
    write(typed, found)      the lines that the script takes

zsh and fish put quotes around what they insert by themselves; bash does not. Behind what goes on
there is to be no space: bash and fish know it by its last letter, zsh is told.
"""
