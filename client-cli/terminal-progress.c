#include "client-cli/terminal-progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "client-cli/output.h"

#define OFF "\x1b]9;4;0;\x1b\\"

#define NOTHING (-2)

static int shown = NOTHING;

/* The console of the kernel ends none of these sequences as others do. */
static bool is_of_use(void) {
    static int answer = -1;

    if (answer < 0)
        answer = output_is_terminal() && isatty(STDERR_FILENO) &&
                 !streq(strempty(getenv("TERM")), "linux");
    return answer;
}

void terminal_progress_show(int percent) {
    percent = MAX(percent, -1);
    if (!is_of_use() || percent == shown)
        return;
    if (percent < 0)
        printf("\x1b]9;4;3;\x1b\\");
    else
        printf("\x1b]9;4;1;%d\x1b\\", MIN(percent, 100));
    shown = percent;
}

void terminal_progress_clear(void) {
    if (shown == NOTHING)
        return;
    printf(OFF);
    shown = NOTHING;
}

const char *terminal_progress_off(void) {
    return is_of_use() ? OFF : "";
}
