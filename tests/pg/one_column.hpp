#pragma once

#include <gtest/gtest.h>

#include <string>

#include "pg/trial.hpp"

namespace pgsluice::test {

/// Table t (id, c, note) in a database of its own, and a job that changes the type of c.
class OneColumn : public testing::Test {
 protected:
  Trial& trial() { return trial_; }
  Db& db() { return trial_.db(); }

  /// `values` as VALUES takes them: "(1, 'a'), (2, 'b')"; empty: no row.
  void make_table(const std::string& type, const std::string& values) {
    db().exec("CREATE TABLE t (id int PRIMARY KEY, c " + type + ", note text)");
    if (!values.empty()) db().exec("INSERT INTO t (id, c) VALUES " + values);
  }
  void make_table_again(const std::string& type, const std::string& values) {
    db().exec("DROP TABLE t");
    make_table(type, values);
  }

  /// `lines` belong to the step.
  void change_to(const std::string& to, const std::string& lines = {}) {
    trial_.job(
        "name = \"change\"\n\n[[step]]\nkind = \"retype\"\nname = \"type\"\ntable = \"t\"\ncolumn = "
        "\"c\"\nto = \"" +
        to + "\"\n" + lines + "\n");
  }

  /// Fails the test unless the verb ends with this code.
  Finished expect(const std::string& verb, int code) {
    auto finished = trial_.verb(verb);
    EXPECT_EQ(finished.code(), code) << verb << "\n" << finished.out << finished.err;
    return finished;
  }
  /// What the verb says to people.
  std::string text_of(const std::string& verb, int code) {
    const auto finished = run(trial_.text_command(verb));
    EXPECT_EQ(finished.code(), code) << verb << "\n" << finished.out << finished.err;
    return finished.out + finished.err;
  }

  std::string type() {
    return db().text(
        "SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 't'::regclass AND "
        "attname = 'c'");
  }
  /// "id, c, note" while nothing of ours is there.
  std::string columns() {
    return db().text(
        "SELECT string_agg(attname, ', ' ORDER BY attnum) FROM pg_attribute WHERE attrelid = 't'::regclass "
        "AND attnum "
        "> 0 AND NOT attisdropped");
  }
  /// Rows whose c is not the very same value in both tables.
  std::int64_t rows_that_differ_from(const std::string& twin) {
    return db().number("SELECT count(*) FROM t FULL JOIN " + twin +
                       " AS w USING (id) WHERE NOT pg_catalog.record_image_eq(ROW(t.c), ROW(w.c))");
  }

 private:
  Trial trial_;
};

}  // namespace pgsluice::test
