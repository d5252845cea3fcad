// Goal: keys of bytes that are no text of any encoding are walked, committed and named like others. Method:
// the real program on a SQL_ASCII database.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pg/trial.hpp"

namespace pgsluice::test {
namespace {

using testing::HasSubstr;

// Every third key begins with a byte of LATIN1, the others with two of UTF-8. Row 7 cannot be changed.
constexpr const char* kTable = R"sql(
CREATE TABLE t (id text PRIMARY KEY, n int NOT NULL CHECK (n < 5));
INSERT INTO t SELECT convert_from(('\x' || CASE WHEN g % 3 = 1 THEN 'e9' ELSE 'c3a9' END)::bytea, 'SQL_ASCII') || g,
                     CASE WHEN g = 7 THEN 4 ELSE 0 END FROM generate_series(1, 2000) AS g;
)sql";

TEST(Encoding, IsNoMatterOfKeysInADatabaseThatHasNone) {
  for (const std::string walk : {"keyset", "blocks"}) {
    SCOPED_TRACE(walk);
    Trial trial;
    const auto bytes = trial.database() + "_bytes";
    trial.db().exec("CREATE DATABASE " + bytes +
                    " TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'");
    auto db = trial.server().connect(bytes);
    db.exec(kTable);
    trial.connect_as(trial.server().dsn(bytes));
    trial.job(backfill_job("t", "n = \"n + 1\"", "where = \"n = 0 OR n = 4\"\nwalk = \"" + walk + "\"",
                           "max_quarantined = 3\n[batch]\nrows = 200"));
    const auto finished = trial.run();
    EXPECT_EQ(finished.code(), 3) << finished.err;
    EXPECT_EQ(db.number("SELECT count(*) FROM t WHERE n = 1"), 1999);
    const auto failures = trial.verb("failures");
    EXPECT_EQ(failures.code(), 0) << failures.err;
    EXPECT_THAT(failures.out, HasSubstr("23514"));
  }
}

}  // namespace
}  // namespace pgsluice::test
