/* What others have written is shown on one line, and does nothing to a terminal. */

#include "client-cli/chat.h"
#include "tests/unit/unit.h"

static const struct {
    const char *text, *shown;
} table[] = {
    {"", ""},
    {"hello", "hello"},
    {"Grüße, 你好 🙂", "Grüße, 你好 🙂"},
    {"<b>not bold</b> & more", "<b>not bold</b> & more"},
    {"one\ntwo", "one⏎two"},
    {"one\r\ntwo\n", "one⏎two⏎"},
    {"over\rwritten", "over⏎written"},
    {"a\n\nb", "a⏎⏎b"},
    {"a\vb\fc", "a⏎b⏎c"},
    {"line\xe2\x80\xa8separator\xe2\x80\xa9paragraph", "line⏎separator⏎paragraph"},
    {"a\tb", "a b"},
    {"\x1b[31mred\x1b[0m", "red"},
    {"\x1b]0;title\x07text", "text"},
    {"\x1b]52;c;cm0gLXJm\x1b\\text", "text"},
    {"\x1b[2J\x1b[H$ ", "$ "},
    {"\x1b[31\nsent bob: cut", "⏎sent bob: cut"},
    {"\xc2\x9b"
     "31mC1",
     "31mC1"},
    {"bell\a back\b\b\b", "bell back"},
    {"\xff\xfe", "\xef\xbf\xbd\xef\xbf\xbd"},
    {"\xe2\x80\xaetxet\xe2\x80\xac", "txet"},
    {"\xe2\x81\xa6in\xe2\x81\xa9", "in"},
    {"\xe2\x80\x8emark stays", "\xe2\x80\x8emark stays"},
};

START_TEST(test_text) {
    char *shown = chat_text(table[_i].text);

    ck_assert_str_eq(shown, table[_i].shown);
    free(shown);
}
END_TEST

/* Nothing of a long one is cut off. */
START_TEST(test_long) {
    size_t size = 300 * 1000;
    char *text = calloc(1, size + 1), *shown;

    memset(text, 'x', size);
    shown = chat_text(text);
    ck_assert_str_eq(shown, text);
    free(shown);
    free(text);
}
END_TEST

int main(void) {
    Suite *suite = suite_create("chat-text");
    TCase *t = tcase_create("text");

    tcase_add_loop_test(t, test_text, 0, (int)ELEMENTSOF(table));
    tcase_add_test(t, test_long);
    suite_add_tcase(suite, t);
    return unit_run(suite);
}
