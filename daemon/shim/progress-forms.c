#include "daemon/shim/progress-forms.h"

#include "common/text.h"
#include "daemon/shim/progress-pattern.h"

/* ---- the table ---- */

typedef enum FormFlags {
    FORM_GUESS = 1 << 0, /* others may print it, too: one line of it is not enough */
    FORM_BYTES = 1 << 1, /* what it counts are bytes, though it has no unit */
} FormFlags;

typedef struct Form {
    const char *pattern;
    const char *phase;     /* for forms that have no name in them */
    ProgressSource source; /* NONE: it counts something else */
    FormFlags flags;
} Form;

#define OTHER PROGRESS_SOURCE_NONE
#define PERCENT PROGRESS_SOURCE_PERCENT
#define COUNTER PROGRESS_SOURCE_COUNTER

/* Of both tables the first form that fits counts. Most lines have no percent sign, and are not
 * compared with the forms that do. */
/* clang-format off */
static const Form percent_forms[] = {
    /* git: "Receiving objects:  45% (450/1000), 1.20 MiB | 3.40 MiB/s" */
    {"remote: %l:~%p%% (%n/%m)", NULL, COUNTER, 0},
    {"%l:~%p%% (%n/%m)", NULL, COUNTER, 0},

    /* cmake's makefiles: "[ 45%] Building C object …" */
    {"[~%p%%]", NULL, PERCENT, 0},

    /* rsync --info=progress2: "  1,234,567  45%  123.45MB/s    0:00:12 (xfr#12, to-chk=34/100)"; with -h amounts. */
    {"~%n~%p%%~%x/s~%t", NULL, PERCENT, FORM_BYTES},
    {"~%a~%p%%~%x/s~%t", NULL, PERCENT, FORM_BYTES},

    /* pv: "45.2MiB 0:00:10 [4.52MiB/s] [====>     ] 45% ETA 0:00:12", with -N behind a name. */
    {"~%a %t [~%x/s]%*%p%%", NULL, PERCENT, 0},
    {"%*:~%a %t [~%x/s]%*%p%%", NULL, PERCENT, 0},

    /* curl -#: "####           45.2%" */
    {"##%*%p%%%$", NULL, PERCENT, 0},
    {"#  %*%p%%%$", NULL, PERCENT, 0},

    /* wget: "  1050K .......... .......... 45%  1.2M 3s"; on a terminal "file  45%[===>   ]  12.3M  1.23MB/s". */
    {"~%x ..%*%p%%", NULL, PERCENT, 0},
    {"~%x ,,%*%p%%", NULL, PERCENT, 0},
    {"%*%p%%[%*]~%a ", NULL, PERCENT, 0},

    /* xz -v: " 45.2 %     10.1 MiB / 22.3 MiB = 0.453   4.5 MiB/s"; both amounts are of what is done. */
    {"~%p %%~%x / %x = %x", NULL, PERCENT, 0},
    {"~%p %%~%x / %x > %x", NULL, PERCENT, 0},
    {"~--- %%~%x / %a = ", NULL, COUNTER, 0},

    /* zstd: "Read: 45.2 MiB /  100 MiB ==> 38%", with -v "(L3) Buffered: 16 MiB - Consumed: 45 MiB - Compressed: 17
     * MiB => 38.1%": the percentage is what they shrink to. */
    {"%*Read:~%a~/~%b ==>", NULL, COUNTER, 0},
    {"%*Read:~%a ==>", NULL, COUNTER, 0},
    {"%*- Consumed:~%a - Compressed:", NULL, COUNTER, 0},
    {"%*~:~%p%%~(%*=>", NULL, OTHER, 0},

    /* apt-get: "45% [1 foo 123 kB/456 kB 45%]", "Reading package lists... 45%" and "Progress: [ 45%]". */
    {"%p%% [", "Downloading", PERCENT, FORM_GUESS},
    {"Progress: [~%p%%]", "Installing", PERCENT, 0},
    {"(%l... %p%%", NULL, PERCENT, 0},
    {"%l... %p%%", NULL, PERCENT, FORM_GUESS},

    /* tqdm: "Epoch 1:  45%|████▌     | 45/100 [00:01<00:01, 44.9it/s]" */
    {"%l:~%p%%|%*| %a/%b [%t<", NULL, COUNTER, 0},
    {"~%p%%|%*| %a/%b [%t<", NULL, COUNTER, 0},

    /* rclone: all of it, then how many files, and each of them; in a pipe the last is in one line with the first. */
    {"%*Transferred:~%a / %b, %p%%, %x/s", NULL, COUNTER, 0},
    {"Transferred:", NULL, OTHER, 0},
    {"Checks:~%x / %x", NULL, OTHER, 0},
    {"~*~%*:~%p%% /", NULL, OTHER, 0},

    /* restic: "[0:12] 45.00%  12 files 3.4 MiB, total 34 files 5.6 MiB, 0 errors ETA 0:15" */
    {"[%t] %p%%", NULL, PERCENT, 0},

    /* aria2c: "[#2089b0 12MiB/45MiB(27%) CN:1 DL:1.2MiB ETA:27s]" */
    {"[#%* %a/%b(%p%%)", NULL, COUNTER, 0},

    /* yt-dlp: "[download]  45.2% of   12.34MiB at  1.23MiB/s ETA 00:05" */
    {"[download]~%p%% of ", NULL, PERCENT, 0},

    /* HandBrakeCLI: "Encoding: task 1 of 2, 45.23 % (…)" */
    {"Encoding: %l, %p %%", NULL, PERCENT, 0},

    /* pg_basebackup: "12345/67890 kB (18%), 0/1 tablespace" */
    {"~%n/%m kB (%p%%)", NULL, COUNTER, 0},
};

static const Form other_forms[] = {
    /* dd status=progress: "52428800 bytes (52 MB, 50 MiB) copied, 1.0 s, 52.4 MB/s", in other languages "Bytes". */
    {"%n bytes (", NULL, COUNTER, FORM_BYTES},
    {"%n Bytes (", NULL, COUNTER, FORM_BYTES},
    {"%n bytes copied, ", NULL, COUNTER, FORM_BYTES},

    /* pv without a size: "45.2MiB 0:00:10 [4.52MiB/s] [ <=>    ]" */
    {"~%a %t [~%x/s]", NULL, COUNTER, 0},

    /* apt-get with APT::Status-Fd: "dlstatus:1:45.0000:…", "pmstatus:tree:45.0000:…" */
    {"dlstatus:%*:%p:", "Downloading", PERCENT, 0},
    {"pmstatus:%*:%p:", "Installing", PERCENT, 0},

    /* What of the same programs looks like progress. */
    {"Need to get ", NULL, OTHER, 0},
    {"%*saved [%x/%x]", NULL, OTHER, 0},

    /* docker pull: a line for each layer, all at a time. */
    {"%*: Downloading [", NULL, OTHER, 0},
    {"%*: Extracting [", NULL, OTHER, 0},
};
/* clang-format on */

#define PHASE_WORD_MAX 48 /* what is longer is no name of a phase */

/* It changes while the phase goes on: "loss=0.123". */
static bool has_values(const char *name, size_t size) {
    for (size_t i = 0; i < size; i++)
        if (name[i] == '=' || name[i] == '%' ||
            (i > 0 && i + 1 < size && name[i] == '.' && progress_number_digit(name[i - 1]) &&
             progress_number_digit(name[i + 1])))
            return true;
    return false;
}

static bool has_controls(const char *name, size_t size) {
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)name[i] < ' ' || name[i] == 0x7f)
            return true;
    return false;
}

/* The name without what stands around it. One that is no name leaves the phase without. */
static void set_phase(ProgressReading *r, const char *name, size_t size) {
    while (size > 0 && (*name == ' ' || *name == '\t'))
        name++, size--;
    while (size > 0 && memchr(" \t:.", name[size - 1], 4))
        size--;
    if (size == 0 || size > PHASE_WORD_MAX || has_values(name, size) || has_controls(name, size))
        return;
    memcpy(r->phase, name, size);
    r->phase[size] = '\0';
    if (!utf8_is_valid(r->phase))
        r->phase[0] = '\0';
}

/* False when the numbers cannot be right, or say nothing. */
static bool set_numbers(ProgressReading *r, const ProgressMatch *m) {
    if (m->percent > 100 || m->total == 0)
        return false;
    if (m->total > 0 && (m->done < 0 || m->done > m->total))
        return false;
    if (m->percent >= 0)
        r->fraction = m->percent / 100;
    if (m->done > 0)
        r->done = (uint64_t)m->done;
    if (m->total > 0) {
        r->total = (uint64_t)m->total;
        r->fraction = m->done / m->total;
    }
    return r->fraction >= 0 || r->done > 0;
}

static ProgressForm read_form(const Form *f, const ProgressMatch *m, ProgressReading *ret) {
    ProgressReading r;

    if (f->source == OTHER)
        return PROGRESS_FORM_OTHER;
    progress_reading_init(&r, f->source);
    if (!set_numbers(&r, m))
        return PROGRESS_FORM_OTHER;
    r.sure = !(f->flags & FORM_GUESS);
    r.bytes = m->bytes || (f->flags & FORM_BYTES);
    if (f->phase)
        set_phase(&r, f->phase, strlen(f->phase));
    else if (m->name)
        set_phase(&r, m->name, m->name_size);
    *ret = r;
    return PROGRESS_FORM_READ;
}

static ProgressForm read_table(const Form table[], size_t n, const char *line, const char *end,
                               ProgressReading *ret) {
    ProgressMatch match;

    for (size_t i = 0; i < n; i++)
        if (progress_pattern_match(table[i].pattern, line, end, &match))
            return read_form(&table[i], &match, ret);
    return PROGRESS_FORM_NONE;
}

ProgressForm progress_forms_read(const char *line, const char *end, ProgressReading *ret) {
    ProgressForm form = PROGRESS_FORM_NONE;

    if (memchr(line, '%', (size_t)(end - line)))
        form = read_table(percent_forms, ELEMENTSOF(percent_forms), line, end, ret);
    return form != PROGRESS_FORM_NONE
               ? form
               : read_table(other_forms, ELEMENTSOF(other_forms), line, end, ret);
}
