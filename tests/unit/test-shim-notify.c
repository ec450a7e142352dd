/* Datagrams of the command: what becomes of them, without a socket. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/text.h"
#include "daemon/shim/shim-notify.h"
#include "tests/unit/unit.h"

static ShimNotify n;
static ShimProgress progress;

static void set_up(void) {
    n = (ShimNotify){.fd = -EBADF};
    progress = (ShimProgress){};
}

static void tear_down(void) {
    shim_progress_done(&progress);
    message_queue_clear(&n.messages);
}

/* Each part between "|" is a datagram. */
static void take(const char *datagrams) {
    for (const char *end;; datagrams = end + 1) {
        char datagram[FIELDS_MAX + 1];
        end = strchrnul(datagrams, '|');
        snprintf(datagram, sizeof(datagram), "%.*s", (int)(end - datagrams), datagrams);
        shim_notify_take(&n, &progress, datagram);
        if (!*end)
            return;
    }
}

static Fields fields;

static const char *known(void) {
    fields.size = 0;
    shim_notify_add_known(&n, &fields);
    shim_progress_add_fields(&progress, &fields);
    fields.data[fields.size] = '\0';
    return fields.data;
}

#define SOURCE "PROGRESS_SOURCE=notify\n"

static const struct {
    const char *datagrams, *known;
} datagrams[] = {
    {"", ""},
    {"READY=1\nWATCHDOG=1\nMAINPID=1\nFDSTORE=1\nFDNAME=x\nFDSTOREREMOVE=1\nBARRIER=1\nERRNO=2",
     ""},
    {"noise\n=x\nSTATUS\n\n\n", ""},
    {"STATUS=one|STATUS=two\nX_LONGRUN_FINAL_MESSAGE=bye",
     "STATUS=two\nX_LONGRUN_FINAL_MESSAGE=bye\n"},
    {"X_LONGRUN_PROGRESS=42", SOURCE "X_LONGRUN_PROGRESS=0.420000\n"},
    {"X_LONGRUN_PROGRESS=42%", SOURCE "X_LONGRUN_PROGRESS=0.420000\n"},
    {"X_LONGRUN_PROGRESS=0.42", SOURCE "X_LONGRUN_PROGRESS=0.420000\n"},
    {"X_LONGRUN_PROGRESS=100", SOURCE "X_LONGRUN_PROGRESS=0.999000\n"},
    {"X_LONGRUN_PROGRESS=nan|X_LONGRUN_PROGRESS=-5%|X_LONGRUN_PROGRESS=1e308|X_LONGRUN_PROGRESS=",
     ""},
    {"X_LONGRUN_DONE=3\nX_LONGRUN_TOTAL=4",
     SOURCE "X_LONGRUN_PROGRESS=0.750000\nX_LONGRUN_DONE=3\nX_LONGRUN_TOTAL=4\n"},
    /* one after the other */
    {"X_LONGRUN_TOTAL=4|X_LONGRUN_DONE=1|X_LONGRUN_DONE=3",
     SOURCE "X_LONGRUN_PROGRESS=0.750000\nX_LONGRUN_DONE=3\nX_LONGRUN_TOTAL=4\n"},
    {"X_LONGRUN_DONE=7", SOURCE "X_LONGRUN_DONE=7\n"},
    {"X_LONGRUN_DONE=9\nX_LONGRUN_TOTAL=4",
     SOURCE "X_LONGRUN_PROGRESS=0.999000\nX_LONGRUN_DONE=4\nX_LONGRUN_TOTAL=4\n"},
    {"X_LONGRUN_DONE=0\nX_LONGRUN_TOTAL=0", ""},
    {"X_LONGRUN_DONE=99999999999999999999\nX_LONGRUN_TOTAL=3",
     SOURCE "X_LONGRUN_PROGRESS=0.000000\nX_LONGRUN_DONE=0\nX_LONGRUN_TOTAL=3\n"},
    {"X_LONGRUN_DONE=1\nX_LONGRUN_TOTAL=18446744073709551615",
     SOURCE "X_LONGRUN_PROGRESS=0.000000\nX_LONGRUN_DONE=1\n"
            "X_LONGRUN_TOTAL=18446744073709551615\n"},
    {"X_LONGRUN_UNIT=bytes|X_LONGRUN_DONE=1\nX_LONGRUN_TOTAL=2",
     SOURCE "X_LONGRUN_PROGRESS=0.500000\nX_LONGRUN_DONE=1\nX_LONGRUN_TOTAL=2\n"
            "X_LONGRUN_UNIT=bytes\n"},
    {"X_LONGRUN_UNIT=bytes|X_LONGRUN_UNIT=\nX_LONGRUN_DONE=1", SOURCE "X_LONGRUN_DONE=1\n"},
    {"X_LONGRUN_UNIT=bits\nX_LONGRUN_DONE=1", SOURCE "X_LONGRUN_DONE=1\n"},
    /* what was before a phase is none of its progress, wherever in the datagram that is said */
    {"X_LONGRUN_DONE=3\nX_LONGRUN_TOTAL=4|X_LONGRUN_PHASE=b", SOURCE "X_LONGRUN_PHASE=b\n"},
    {"X_LONGRUN_DONE=3\nX_LONGRUN_TOTAL=4|X_LONGRUN_DONE=1\nX_LONGRUN_PHASE=b",
     SOURCE "X_LONGRUN_PHASE=b\nX_LONGRUN_DONE=1\n"},
    {"X_LONGRUN_PHASE=b|X_LONGRUN_DONE=3\nX_LONGRUN_TOTAL=4|X_LONGRUN_PHASE=b\nX_LONGRUN_DONE=4",
     SOURCE "X_LONGRUN_PHASE=b\nX_LONGRUN_PROGRESS=0.999000\nX_LONGRUN_DONE=4\n"
            "X_LONGRUN_TOTAL=4\n"},
    {"X_LONGRUN_PHASE=a\xff\x1b[1m", SOURCE "X_LONGRUN_PHASE=a??[1m\n"},
    /* from the shim alone */
    {"PROGRESS_SOURCE=osc|EXIT_CODE=0|STARTED=1", ""},
};

START_TEST(test_datagrams) {
    take(datagrams[_i].datagrams);
    ck_assert_str_eq(known(), datagrams[_i].known);
    ck_assert(utf8_is_valid(known()));
}
END_TEST

START_TEST(test_long_phase) {
    char datagram[FIELDS_MAX] = NOTIFY_PHASE "=";

    for (size_t i = strlen(datagram); i + 3 < sizeof(datagram); i += 2)
        memcpy(datagram + i, "é", 3);
    take(datagram);
    size_t size = strlen(progress_reader_state(progress.reader)->phase);
    ck_assert_uint_eq(size, PROGRESS_PHASE_MAX - 2);
    take(datagram);
    ck_assert_uint_eq(strlen(progress_reader_state(progress.reader)->phase), size);
    ck_assert(utf8_is_valid(known()));
}
END_TEST

/* What has nothing to do with progress needs no reader. */
START_TEST(test_no_reader) {
    take("STATUS=one|READY=1|X_LONGRUN_MESSAGE=hello|EXTEND_TIMEOUT_USEC=5");
    ck_assert_ptr_null(progress.reader);
    ck_assert_uint_eq(n.messages.n, 1);
}
END_TEST

START_TEST(test_extension) {
    ck_assert_uint_eq(shim_notify_take_extension(&n), 0);
    take("EXTEND_TIMEOUT_USEC=7|EXTEND_TIMEOUT_USEC=5|EXTEND_TIMEOUT_USEC=|"
         "EXTEND_TIMEOUT_USEC=-1|EXTEND_TIMEOUT_USEC=99999999999999999999|EXTEND_TIMEOUT_USEC=8s");
    ck_assert_uint_eq(shim_notify_take_extension(&n), 7);
    ck_assert_uint_eq(shim_notify_take_extension(&n), 0);
}
END_TEST

/* What counts as a sign of life: any change, but not the same once more. */
START_TEST(test_changes) {
    take("X_LONGRUN_DONE=1\nSTATUS=a");
    ck_assert_uint_eq(n.n_changes, 2);
    take("X_LONGRUN_DONE=1\nSTATUS=a|READY=1|EXTEND_TIMEOUT_USEC=5");
    ck_assert_uint_eq(n.n_changes, 2);
    take("X_LONGRUN_DONE=2|X_LONGRUN_PHASE=b|X_LONGRUN_UNIT=bytes|X_LONGRUN_PROGRESS=1");
    ck_assert_uint_eq(n.n_changes, 6);
}
END_TEST

/* Only what is passed on as it is waits for it. */
START_TEST(test_pending) {
    take("X_LONGRUN_DONE=1");
    ck_assert(!n.pending && progress.pending);
    shim_progress_sent(&progress);
    take("X_LONGRUN_DONE=1|X_LONGRUN_UNIT=bytes\n");
    ck_assert(!n.pending && progress.pending); /* the unit is another one */
    take("STATUS=x");
    ck_assert(n.pending);
    shim_notify_sent(&n);
    shim_progress_sent(&progress);
    shim_notify_retell(&n);
    shim_progress_retell(&progress);
    ck_assert(n.pending && progress.pending);
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("shim-notify");
    TCase *t = tcase_create("shim-notify");

    tcase_add_checked_fixture(t, set_up, tear_down);
    tcase_add_loop_test(t, test_datagrams, 0, ELEMENTSOF(datagrams));
    tcase_add_test(t, test_long_phase);
    tcase_add_test(t, test_no_reader);
    tcase_add_test(t, test_extension);
    tcase_add_test(t, test_changes);
    tcase_add_test(t, test_pending);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
