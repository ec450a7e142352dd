/* The size of the window from one run to the next, whatever lies in its file. */

#include <glib.h>
#include <string.h>
#include <sys/stat.h>

#include "client-gtk/base/window-size.h"
#include "tests/unit/unit.h"

static const struct {
    const char *text;
    WindowSize size; /* that 900x640 becomes */
} files[] = {
    {"[Window]\nWidth=1000\nHeight=700\nMaximized=true\n", {1000, 700, TRUE}},
    {"[Window]\nWidth=1000\n", {1000, 640, FALSE}},
    {"[Window]\nWidth=0\nHeight=-5\n", {900, 640, FALSE}},
    {"[Window]\nWidth=199\nHeight=20001\n", {900, 640, FALSE}},
    {"[Window]\nWidth=99999999999999\nHeight=wide\nMaximized=perhaps\n", {900, 640, FALSE}},
    {"[Other]\nWidth=1000\n", {900, 640, FALSE}},
    {"Width=1000", {900, 640, FALSE}},
    {"", {900, 640, FALSE}},
    {"\xff\xfe[Window", {900, 640, FALSE}},
};

static void loads(const char *path, WindowSize expected) {
    WindowSize size = {900, 640, FALSE};

    window_size_load(&size, path);
    ck_assert_int_eq(size.width, expected.width);
    ck_assert_int_eq(size.height, expected.height);
    ck_assert_int_eq(size.maximized, expected.maximized);
}

START_TEST(a_file) {
    unit_write("window.ini", files[_i].text, strlen(files[_i].text));
    loads(unit_path("window.ini"), files[_i].size);
}
END_TEST

START_TEST(no_file) {
    loads(unit_path("none"), (WindowSize){900, 640, FALSE});
}
END_TEST

/* Neither is waited for, nor read to the end. */
START_TEST(no_plain_file) {
    ck_assert_int_eq(mkfifo(unit_path("fifo"), 0600), 0);
    loads(unit_path("fifo"), (WindowSize){900, 640, FALSE});
    loads("/dev/zero", (WindowSize){900, 640, FALSE});
    loads(unit_dir, (WindowSize){900, 640, FALSE});
}
END_TEST

START_TEST(is_kept) {
    WindowSize size = {1234, 567, TRUE};
    struct stat st;

    window_size_save(&size, unit_path("a/b/window.ini"));
    loads(unit_path("a/b/window.ini"), size);
    ck_assert_int_eq(stat(unit_path("a/b/window.ini"), &st), 0);
    ck_assert_uint_eq(st.st_mode & 0777, 0600);
    size = (WindowSize){360, 294, FALSE};
    window_size_save(&size, unit_path("a/b/window.ini"));
    loads(unit_path("a/b/window.ini"), size);
}
END_TEST

START_TEST(cannot_be_kept) {
    WindowSize size = {1234, 567, TRUE};

    unit_write("file", "", 0);
    window_size_save(&size, unit_path("file/window.ini"));
}
END_TEST

int main(void) {
    Suite *s = suite_create("window-size");
    TCase *t = tcase_create("size");

    unit_use_dir(t);
    tcase_add_loop_test(t, a_file, 0, G_N_ELEMENTS(files));
    tcase_add_test(t, no_file);
    tcase_add_test(t, no_plain_file);
    tcase_add_test(t, is_kept);
    tcase_add_test(t, cannot_be_kept);
    suite_add_tcase(s, t);
    return unit_run(s);
}
