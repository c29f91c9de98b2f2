module github.com/chestlab/chest/internal/asm

go 1.26
