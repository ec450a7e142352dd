/* Messages that wait: their order, their number, and what is one. */

#include <errno.h>
#include <stdio.h>

#include "common/cleanup.h"
#include "common/message-queue.h"
#include "tests/unit/unit.h"

static const struct {
    const char *text;
    size_t xs; /* so many follow it */
    int result;
} checks[] = {
    {"", 0, 0},
    {"hello", 0, 0},
    {"a\tb \xc3\xa9", 0, 0},
    {"a\rb", 0, 0},
    {"", MESSAGE_MAX, 0},
    {"", MESSAGE_MAX + 1, -EMSGSIZE},
    {"a", MESSAGE_MAX, -EMSGSIZE},
    {"\n", 0, -EINVAL},
    {"two\nlines", 0, -EINVAL},
    {"line\n", 0, -EINVAL},
    {"two\n", MESSAGE_MAX, -EINVAL},
};

START_TEST(test_check) {
    char text[MESSAGE_MAX + 16];
    size_t n = strlen(checks[_i].text);

    memcpy(text, checks[_i].text, n);
    memset(text + n, 'x', checks[_i].xs);
    text[n + checks[_i].xs] = '\0';
    ck_assert_int_eq(message_check(text), checks[_i].result);
}
END_TEST

static void put(MessageQueue *q, unsigned i) {
    char text[16];

    snprintf(text, sizeof(text), "%u", i);
    ck_assert_int_eq(message_queue_put(q, text), 0);
}

static void take(MessageQueue *q, unsigned i) {
    _cleanup_free_ Message *m = message_queue_take(q);

    ck_assert_ptr_nonnull(m);
    ck_assert_int_eq(atoi(m->text), (int)i);
    ck_assert_uint_eq(m->size, strlen(m->text));
}

START_TEST(test_order) {
    MessageQueue q = {};
    unsigned in = 0, out = 0;

    for (unsigned round = 0; round < 5; round++) {
        for (unsigned i = 0; i < 7; i++)
            put(&q, in++);
        while (q.n > round % 3)
            take(&q, out++);
    }
    while (q.n > 0)
        take(&q, out++);
    ck_assert_uint_eq(out, in);
    ck_assert_ptr_null(message_queue_take(&q));
    put(&q, 1);
    take(&q, 1);
}
END_TEST

START_TEST(test_full) {
    MessageQueue q = {};

    for (unsigned i = 0; i < MESSAGE_QUEUE_MAX; i++)
        put(&q, i);
    ck_assert_int_eq(message_queue_put(&q, "one too many"), -ENOBUFS);
    take(&q, 0);
    put(&q, MESSAGE_QUEUE_MAX);
    ck_assert_int_eq(message_queue_put(&q, "one too many"), -ENOBUFS);
    take(&q, 1);
    message_queue_clear(&q);
    ck_assert_uint_eq(q.n, 0);
    put(&q, 5);
    message_queue_clear(&q);
    message_queue_clear(&q);
}
END_TEST

int main(void) {
    Suite *s = suite_create("message-queue");
    TCase *t = tcase_create("message-queue");

    tcase_add_loop_test(t, test_check, 0, ELEMENTSOF(checks));
    tcase_add_test(t, test_order);
    tcase_add_test(t, test_full);
    suite_add_tcase(s, t);
    return unit_run(s);
}
