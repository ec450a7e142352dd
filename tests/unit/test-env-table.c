/* Environment blocks: one of each, for as long as somebody has it. */

#include <stdio.h>

#include "daemon/core/env-table.h"
#include "tests/unit/unit.h"

#define BLOCKS 7

/* All different. */
static char *const blocks[BLOCKS][4] = {
    {NULL},
    {(char *)"", NULL},
    {(char *)"A=1", NULL},
    {(char *)"A=1", (char *)"B=2", NULL},
    {(char *)"B=2", (char *)"A=1", NULL}, /* in another order */
    {(char *)"A=1B=2", NULL},
    {(char *)"A=1", (char *)"", (char *)"B=2", NULL},
};

static EnvTable *table;

static void setup(void) {
    table = env_table_new();
    MUST(table);
}

static void teardown(void) {
    table = env_table_free(table);
    ck_assert_ptr_null(table);
}

static void expect_strings(const EnvBlock *b, char *const *env) {
    char *const *strings = env_block_strings(b);
    size_t i = 0;

    for (; env[i]; i++)
        ck_assert_str_eq(strings[i], env[i]);
    ck_assert_ptr_null(strings[i]);
}

START_TEST(test_strings) {
    for (size_t i = 0; i < BLOCKS; i++) {
        EnvBlock *b = env_table_intern(table, blocks[i]);
        ck_assert_ptr_nonnull(b);
        expect_strings(b, blocks[i]);
        ck_assert_ptr_null(env_block_unref(b));
    }
}
END_TEST

START_TEST(test_none) {
    EnvBlock *b = env_table_intern(table, NULL);

    expect_strings(NULL, blocks[0]);
    expect_strings(b, blocks[0]);
    ck_assert_ptr_null(env_block_unref(b));
    ck_assert_ptr_null(env_block_unref(NULL));
    ck_assert_ptr_null(env_table_free(NULL));
}
END_TEST

START_TEST(test_sharing) {
    EnvBlock *first[BLOCKS], *second[BLOCKS];

    for (size_t i = 0; i < BLOCKS; i++)
        first[i] = env_table_intern(table, blocks[i]);
    for (size_t i = 0; i < BLOCKS; i++) {
        second[i] = env_table_intern(table, blocks[i]);
        ck_assert_ptr_eq(second[i], first[i]);
        for (size_t k = 0; k < i; k++)
            ck_assert_ptr_ne(first[k], first[i]);
    }
    /* Whoever is left still has it whole. */
    for (size_t i = 0; i < BLOCKS; i++) {
        env_block_unref(first[i]);
        expect_strings(second[i], blocks[i]);
        ck_assert_ptr_eq(env_table_intern(table, blocks[i]), second[i]);
        env_block_unref(second[i]);
        env_block_unref(second[i]);
    }
}
END_TEST

/* Gone and come again: the table does not find what is freed. */
START_TEST(test_come_again) {
    for (int round = 0; round < 3; round++)
        for (size_t i = 0; i < BLOCKS; i++) {
            EnvBlock *b = env_table_intern(table, blocks[i]);
            expect_strings(b, blocks[i]);
            env_block_unref(b);
        }
}
END_TEST

/* The strings are the table's own. */
START_TEST(test_copies) {
    char variable[] = "A=1";
    char *env[] = {variable, NULL};
    EnvBlock *b = env_table_intern(table, env);

    strcpy(variable, "A=2");
    ck_assert_str_eq(env_block_strings(b)[0], "A=1");
    EnvBlock *other = env_table_intern(table, env);
    ck_assert_ptr_ne(other, b);
    env_block_unref(b);
    env_block_unref(other);
}
END_TEST

/* What is shared counts once. */
START_TEST(test_size) {
    EnvBlock *a[3], *b;
    size_t one, two;

    ck_assert_uint_eq(env_table_size(table), 0);
    a[0] = env_table_intern(table, blocks[2]);
    one = env_table_size(table);
    ck_assert_uint_gt(one, strlen("A=1"));
    a[1] = env_table_intern(table, blocks[2]);
    a[2] = env_table_intern(table, blocks[2]);
    ck_assert_uint_eq(env_table_size(table), one);
    b = env_table_intern(table, blocks[3]);
    two = env_table_size(table);
    ck_assert_uint_gt(two - one, one); /* it is longer */
    for (size_t i = 0; i < ELEMENTSOF(a); i++) {
        ck_assert_uint_eq(env_table_size(table), two);
        env_block_unref(a[i]);
    }
    ck_assert_uint_eq(env_table_size(table), two - one);
    env_block_unref(b);
    ck_assert_uint_eq(env_table_size(table), 0);
}
END_TEST

START_TEST(test_many) {
    static EnvBlock *held[1000];
    char text[32];
    char *env[] = {text, NULL};

    for (size_t round = 0; round < 2; round++)
        for (size_t i = 0; i < ELEMENTSOF(held); i++) {
            snprintf(text, sizeof(text), "N=%zu", i);
            EnvBlock *b = env_table_intern(table, env);
            MUST(round == 0 || b == held[i]);
            held[i] = b;
        }
    for (size_t i = 0; i < ELEMENTSOF(held); i++) {
        snprintf(text, sizeof(text), "N=%zu", i);
        MUST(streq(env_block_strings(held[i])[0], text));
        env_block_unref(held[i]);
        env_block_unref(held[i]);
    }
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("env-table");
    TCase *t = tcase_create("env-table");

    tcase_add_checked_fixture(t, setup, teardown);
    tcase_add_test(t, test_strings);
    tcase_add_test(t, test_none);
    tcase_add_test(t, test_sharing);
    tcase_add_test(t, test_come_again);
    tcase_add_test(t, test_copies);
    tcase_add_test(t, test_size);
    tcase_add_test(t, test_many);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
