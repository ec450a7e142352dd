#include "client-cli/table.h"

#include <stdio.h>
#include <stdlib.h>

#include "client-cli/output.h"
#include "common/cleanup.h"

#define GAP 2 /* columns of space between two cells */

void table_add(Table *t, const char *text, const char *colour) {
    if (t->n_cells == t->allocated) {
        t->allocated = MAX(2 * t->allocated, (size_t)64);
        t->cells = must(realloc(t->cells, t->allocated * sizeof(Cell)));
    }
    t->cells[t->n_cells++] = (Cell){.text = text_display(text), .colour = colour};
}

static void print_cell(const char *text, const char *colour, size_t width, bool right, bool last) {
    size_t columns = text_columns(text);
    int padding = (int)(width > columns ? width - columns : 0);

    if (!output_has_colour() || isempty(colour))
        colour = NULL;
    if (right)
        printf("%*s", padding, "");
    printf("%s%s%s", strempty(colour), text, colour ? COLOUR_OFF : "");
    if (last)
        putchar('\n');
    else
        printf("%*s", GAP + (right ? 0 : padding), "");
}

void table_print(const Table *t) {
    size_t last = t->n_columns - 1, before_last = 0;
    _cleanup_free_ size_t *widths = must(calloc(t->n_columns, sizeof(size_t)));

    for (size_t c = 0; c < t->n_columns; c++) {
        widths[c] = text_columns(t->columns[c].title);
        for (size_t i = c; i < t->n_cells; i += t->n_columns)
            widths[c] = MAX(widths[c], text_columns(t->cells[i].text));
        if (c != last)
            before_last += widths[c] + GAP;
    }
    if (output_is_terminal()) {
        size_t columns = output_columns();
        widths[last] = columns > before_last + 8 ? columns - before_last : 8;
    }

    for (size_t c = 0; c < t->n_columns; c++)
        print_cell(t->columns[c].title, COLOUR_BOLD, widths[c], t->columns[c].right, c == last);
    for (size_t i = 0; i < t->n_cells; i++) {
        size_t c = i % t->n_columns;
        _cleanup_free_ char *cut =
            c == last && output_is_terminal() ? text_cut(t->cells[i].text, widths[c]) : NULL;
        print_cell(cut ?: t->cells[i].text, t->cells[i].colour, widths[c], t->columns[c].right,
                   c == last);
    }
}

void table_done(Table *t) {
    for (size_t i = 0; i < t->n_cells; i++)
        free(t->cells[i].text);
    free(t->cells);
    *t = (Table){};
}
