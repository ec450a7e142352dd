#include "daemon/journal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include "common/log.h"

/* $JOURNAL_STREAM names the device and inode of the stream that systemd gave (systemd.exec(5)). */
static bool stderr_is_journal(void) {
    const char *stream = getenv("JOURNAL_STREAM");
    uintmax_t device, inode;
    struct stat st;

    return stream && sscanf(stream, "%ju:%ju", &device, &inode) == 2 &&
           fstat(STDERR_FILENO, &st) >= 0 && device == (uintmax_t)st.st_dev &&
           inode == (uintmax_t)st.st_ino;
}

static struct iovec field(char *text, int size) {
    return (struct iovec){.iov_base = text, .iov_len = (size_t)size};
}

static void journal_sink(int level, uint64_t task_id, const char *text) {
    char message[2200], priority[16], task[40];
    struct iovec fields[3];
    int n = 0;

    if (task_id > 0)
        fields[n++] = field(message, snprintf(message, sizeof(message),
                                              "MESSAGE=task %" PRIu64 ": %s", task_id, text));
    else
        fields[n++] = field(message, snprintf(message, sizeof(message), "MESSAGE=%s", text));
    fields[n++] = field(priority, snprintf(priority, sizeof(priority), "PRIORITY=%d", level));
    if (task_id > 0)
        fields[n++] = field(task, snprintf(task, sizeof(task), "TASK_ID=%" PRIu64, task_id));
    (void)sd_journal_sendv(fields, n);
}

void journal_log_init(void) {
    if (stderr_is_journal())
        log_set_sink(journal_sink);
}
