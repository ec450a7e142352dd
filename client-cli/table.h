#pragma once

#include "common/macro.h"

/* Rows of cells under headings. On a terminal the last column is cut to what fits. */

typedef struct Column {
    const char *title;
    bool right; /* aligned */
} Column;

typedef struct Cell {
    char *text;         /* owned, from text_display() */
    const char *colour; /* not owned; NULL: none */
} Cell;

typedef struct Table {
    const Column *columns; /* not owned */
    size_t n_columns;
    Cell *cells; /* row after row */
    size_t n_cells, allocated;
} Table;

#define TABLE_INIT(cols)                                                                           \
    { .columns = (cols), .n_columns = ELEMENTSOF(cols) }

/* The next cell, left to right and row after row. Copies the text; the colour must live on. */
void table_add(Table *t, const char *text, const char *colour);
void table_print(const Table *t);
void table_done(Table *t);
