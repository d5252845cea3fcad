// Goal: the sequence of an identity goes along with its limits, its privileges and its comment. Method: the
// real program, there and back; beside it a twin whose column plain ALTER TABLE … TYPE changes.
#include <gtest/gtest.h>

#include <ostream>
#include <string>

#include "pg/trial.hpp"

namespace pgsluice::test {
namespace {

struct Kind {
  const char* name;
  const char* identity;
};

void PrintTo(const Kind& kind, std::ostream* out) {
  *out << kind.name;
}

class RetypeIdentity : public testing::TestWithParam<Kind> {
 protected:
  void make(const std::string& table) {
    const auto sequence = table + "_id_seq";
    db().exec("CREATE TABLE " + table + " (id int GENERATED " + GetParam().identity +
              " PRIMARY KEY, note text); INSERT INTO " + table +
              " (note) SELECT 'x' FROM generate_series(1, 5); GRANT USAGE, SELECT ON SEQUENCE " + sequence +
              " TO pg_monitor; GRANT UPDATE ON SEQUENCE " + sequence +
              " TO pg_read_all_data WITH GRANT OPTION; COMMENT ON SEQUENCE " + sequence +
              " IS 'the shop''s till'");
  }
  /// All that the sequence is.
  std::string sequence_of(const std::string& table) {
    return db().text(
        "SELECT concat_ws(' ', s.seqtypid::regtype, s.seqstart, s.seqincrement, s.seqmax, s.seqmin, "
        "s.seqcache, s.seqcycle, (SELECT string_agg(a::text, ',' ORDER BY a::text) FROM unnest(c.relacl) a), "
        "obj_description(c.oid, 'pg_class'), (SELECT a.attidentity FROM pg_attribute a JOIN pg_depend d ON "
        "d.refobjid = a.attrelid AND d.refobjsubid = a.attnum WHERE d.objid = c.oid AND d.deptype = 'i'), "
        "(SELECT last_value || '/' || is_called FROM " +
        table + "_id_seq)) FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid WHERE s.seqrelid = '" +
        table + "_id_seq'::regclass");
  }
  void expect(const std::string& verb, int code) {
    const auto finished = trial_.verb(verb);
    EXPECT_EQ(finished.code(), code) << verb << "\n" << finished.out << finished.err;
  }
  Db& db() { return trial_.db(); }

  Trial trial_;
};

TEST_P(RetypeIdentity, KeepsItsSequenceAsPlainAlterTableDoes) {
  make("t");
  make("w");
  trial_.job(
      "name = \"wide\"\n\n[[step]]\nkind = \"retype\"\nname = \"type\"\ntable = \"t\"\ncolumn = \"id\"\nto = "
      "\"bigint\"\n");
  expect("run", 9);
  expect("cutover", 0);
  db().exec("ALTER TABLE w ALTER COLUMN id TYPE bigint");
  EXPECT_EQ(sequence_of("t"), sequence_of("w"));
  for (const std::string table : {"t", "w"}) db().exec("INSERT INTO " + table + " (note) VALUES ('y')");
  expect("rollback", 0);
  db().exec("ALTER TABLE w ALTER COLUMN id TYPE int");
  EXPECT_EQ(sequence_of("t"), sequence_of("w"));
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, RetypeIdentity,
    testing::Values(Kind{"Plain", "ALWAYS AS IDENTITY"},
                    Kind{"ByDefaultFromAThousand", "BY DEFAULT AS IDENTITY (START 1000 INCREMENT 7 CACHE 3)"},
                    Kind{"WithLimitsOfItsOwn",
                         "ALWAYS AS IDENTITY (MINVALUE 5 MAXVALUE 5000 START 10 CYCLE)"},
                    Kind{"Descending", "ALWAYS AS IDENTITY (INCREMENT -1)"},
                    Kind{"DescendingFromAbove",
                         "BY DEFAULT AS IDENTITY (INCREMENT -2 MAXVALUE 100 START 100 MINVALUE -50)"},
                    Kind{"FromTheLowest", "ALWAYS AS IDENTITY (MINVALUE -2147483648 START 1)"}),
    [](const auto& kind) { return std::string(kind.param.name); });

}  // namespace
}  // namespace pgsluice::test
