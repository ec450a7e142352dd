/* What the keeper tells a daemon, also when there is much of it and nobody reads. */

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/shim-protocol.h"
#include "daemon/shim/keeper-connection.h"
#include "tests/unit/unit.h"

static const KeeperFacts facts = {ISOLATION_CGROUP, "/cg", "cpu memory"};

static KeeperConnection connection;
static KeeperTable table;
static int peer;

static void setup(void) {
    int fds[2];

    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
    connection = (KeeperConnection){.fd = fds[0]};
    peer = fds[1];
    table = (KeeperTable){};
}

static void teardown(void) {
    keeper_connection_close(&connection);
    keeper_table_done(&table);
    close(peer);
}

static void add(uint64_t id) {
    MUST(keeper_table_reserve(&table) == 0);
    keeper_table_add(&table, id, (pid_t)(id % 1000000) + 1, -EBADF);
}

/* Reads all that is there; adds up the ids behind the key, which must be ascending. */
static uint64_t read_ids(const char *key, uint64_t *last, bool *ret_end) {
    char message[FIELDS_MAX + 1];
    uint64_t count = 0;

    for (ssize_t n; (n = recv(peer, message, FIELDS_MAX, 0)) > 0;) {
        message[n] = '\0';
        char *cursor = message;
        for (const char *k, *value; fields_next(&cursor, &k, &value);) {
            MUST(!*ret_end || streq(key, KEEPER_LOST));
            if (streq(k, key)) {
                uint64_t id = strtoull(value, NULL, 10);
                MUST(id > *last);
                *last = id;
                count++;
            }
            if (streq(k, KEEPER_LIVE_END))
                *ret_end = true;
        }
    }
    return count;
}

START_TEST(test_nothing_before_hello) {
    add(1);
    keeper_connection_add_lost(&connection, 1);
    ck_assert(!keeper_connection_pending(&connection));
}
END_TEST

START_TEST(test_head) {
    char message[FIELDS_MAX + 1];

    keeper_connection_greet(&connection);
    keeper_connection_send(&connection, &facts, &table);
    ssize_t n = recv(peer, message, FIELDS_MAX, 0);
    ck_assert_int_gt(n, 0);
    message[n] = '\0';
    ck_assert_ptr_nonnull(
        strstr(message, "ISOLATION=cgroup\nCGROUP=/cg\nCONTROLLERS=cpu memory\n"));
    n = recv(peer, message, FIELDS_MAX, 0);
    message[n] = '\0';
    ck_assert_str_eq(message, "LIVE_END=1\n");
}
END_TEST

/* More than the socket takes: the rest follows when it was read, and each is told once, though the
 * table changes meanwhile. */
START_TEST(test_many) {
    enum {
        N = 200000
    };
    uint64_t last = 0, count = 0, rounds = 0;
    bool end = false;

    for (uint64_t id = 1; id <= N; id++)
        add(2 * id);
    keeper_connection_greet(&connection);
    while (keeper_connection_pending(&connection)) {
        MUST(rounds++ < N);
        keeper_connection_send(&connection, &facts, &table);
        MUST(connection.full == keeper_connection_pending(&connection));
        keeper_table_remove(&table, keeper_table_find(&table, 2 * rounds));
        count += read_ids(KEEPER_LIVE, &last, &end);
    }
    count += read_ids(KEEPER_LIVE, &last, &end);
    ck_assert(end);
    ck_assert_uint_gt(rounds, 1);
    ck_assert_uint_eq(count, N);
    ck_assert_uint_eq(last, 2 * N);
}
END_TEST

START_TEST(test_lost) {
    uint64_t last = 0, count = 0;
    bool end = false;

    keeper_connection_greet(&connection);
    keeper_connection_send(&connection, &facts, &table);
    for (uint64_t id = 1; id <= 100000; id++)
        keeper_connection_add_lost(&connection, id);
    while (keeper_connection_pending(&connection)) {
        keeper_connection_send(&connection, &facts, &table);
        count += read_ids(KEEPER_LOST, &last, &end);
    }
    ck_assert_uint_eq(count, 100000);
}
END_TEST

/* The daemon is gone: nothing waits for it. */
START_TEST(test_gone) {
    KeeperMessage message;

    keeper_connection_greet(&connection);
    keeper_connection_add_lost(&connection, 1);
    ck_assert_int_eq(send(peer, "HELLO=1\n", 8, 0), 8);
    close(peer);
    peer = -EBADF;
    keeper_connection_send(&connection, &facts, &table);
    ck_assert(keeper_connection_receive(&connection, &message));
    ck_assert_str_eq(message.text, "HELLO=1\n");
    ck_assert(!keeper_connection_receive(&connection, &message));
    ck_assert_int_lt(connection.fd, 0);
    ck_assert(!keeper_connection_pending(&connection));
}
END_TEST

/* What it had not read does not hide what it sent. */
START_TEST(test_gone_with_something_unread) {
    KeeperMessage message;

    keeper_connection_greet(&connection);
    keeper_connection_send(&connection, &facts, &table);
    ck_assert_int_eq(send(peer, "HELLO=1\n", 8, 0), 8);
    close(peer);
    peer = -EBADF;
    ck_assert(keeper_connection_receive(&connection, &message));
    ck_assert_str_eq(message.text, "HELLO=1\n");
    ck_assert(!keeper_connection_receive(&connection, &message));
    ck_assert_int_lt(connection.fd, 0);
}
END_TEST

START_TEST(test_table) {
    static const uint64_t ids[] = {5, 1, UINT64_MAX, 3, 4};

    for (size_t i = 0; i < ELEMENTSOF(ids); i++)
        add(ids[i]);
    ck_assert_uint_eq(keeper_table_after(&table, 0)->id, 1);
    ck_assert_uint_eq(keeper_table_after(&table, 1)->id, 3);
    ck_assert_uint_eq(keeper_table_after(&table, 5)->id, UINT64_MAX);
    ck_assert_ptr_null(keeper_table_after(&table, UINT64_MAX));
    ck_assert_ptr_null(keeper_table_find(&table, 2));
    ck_assert_uint_eq(keeper_table_find_pid(&table, 5)->id, 4);
    ck_assert_ptr_null(keeper_table_find_pid(&table, 3));

    keeper_table_set_lost(&table, keeper_table_find(&table, 3));
    keeper_table_set_lost(&table, keeper_table_find(&table, 3));
    ck_assert_uint_eq(table.n_lost, 1);
    keeper_table_remove(&table, keeper_table_find(&table, 1));
    ck_assert_uint_eq(table.n_lost, 1);
    keeper_table_remove(&table, keeper_table_find(&table, 3));
    ck_assert_uint_eq(table.n_lost, 0);
    ck_assert_uint_eq(table.count, 3);
    ck_assert_uint_eq(keeper_table_after(&table, 0)->id, 4);
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("keeper-connection");
    TCase *t = tcase_create("keeper-connection");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, test_nothing_before_hello);
    tcase_add_test(t, test_head);
    tcase_add_test(t, test_many);
    tcase_add_test(t, test_lost);
    tcase_add_test(t, test_gone);
    tcase_add_test(t, test_gone_with_something_unread);
    tcase_add_test(t, test_table);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
