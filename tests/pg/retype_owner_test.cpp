// Goal: what a retype makes is its own: two jobs share nothing, a name that is taken is refused, what became
// of a table is no reason to leave debris, and a retype that an older program began is finished under the
// names that it gave. Method: the real program; the older ledger is made of the new one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>

#include "pg/journals.hpp"

namespace pgsluice::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kFunctions =
    "SELECT coalesce(string_agg(proname, ' ' ORDER BY proname), '') FROM pg_proc WHERE pronamespace = "
    "to_regnamespace('pgsluice')";

class RetypeOwner : public testing::Test {
 protected:
  Db& db() { return trial_.db(); }

  void make_orders() {
    db().exec(
        "CREATE TABLE orders (id int PRIMARY KEY, price int, qty int); INSERT INTO orders SELECT g, g, g "
        "FROM "
        "generate_series(1, 500) g");
  }
  /// Both jobs' steps bear one name.
  void take(const std::string& column) {
    trial_.job("name = \"widen-" + column +
               "\"\n\n[[step]]\nkind = \"retype\"\nname = \"widen\"\ntable = \"orders\"\n" + "column = \"" +
               column + "\"\nto = \"bigint\"\n");
  }
  void keys(const std::string& tables, const std::string& lines) {
    trial_.job("name = \"keys\"\n\n[[step]]\nkind = \"retype\"\nname = \"ids\"\ntables = [" + tables + "]\n" +
               lines);
  }
  Finished expect(const std::string& verb, int code) {
    auto finished = trial_.verb(verb);
    EXPECT_EQ(finished.code(), code) << verb << "\n" << finished.out << finished.err;
    return finished;
  }

  Trial trial_;
};

TEST_F(RetypeOwner, UndoingOneOfTwoJobsWithOneStepNameKeepsTheOthersWrites) {
  make_orders();
  const auto schema = schema_of(trial_);
  for (const char* column : {"price", "qty"}) {
    take(column);
    expect("run", 9);
    expect("cutover", 0);
  }
  expect("rollback", 0);  // of qty
  db().exec(
      "UPDATE orders SET price = 77, qty = 88 WHERE id = 5; INSERT INTO orders (id, price, qty) VALUES (600, "
      "1, 2)");
  take("price");
  expect("verify", 0);
  expect("rollback", 0);
  EXPECT_EQ(
      db().text("SELECT string_agg(price || '/' || qty, ',' ORDER BY id) FROM orders WHERE id IN (5, 600)"),
      "77/88,1/2");
  EXPECT_EQ(schema_of(trial_), schema);
  EXPECT_EQ(db().text(kFunctions), "");
}

TEST_F(RetypeOwner, TablesWhoseJoinedNamesReadAlikeHaveFunctionsOfTheirOwn) {
  db().exec(
      "CREATE SCHEMA a; CREATE SCHEMA a_b; CREATE TABLE a.b_c (id int PRIMARY KEY); CREATE TABLE a_b.c (id "
      "int "
      "PRIMARY KEY, up int REFERENCES a.b_c); INSERT INTO a.b_c VALUES (1); INSERT INTO a_b.c VALUES (1, 1)");
  keys("\"a.b_c\", \"a_b.c\"", "to = \"uuid\"\nmapping = \"random\"\n");
  expect("run", 9);
  db().exec("INSERT INTO a.b_c VALUES (2); INSERT INTO a_b.c VALUES (2, 2)");
  expect("cutover", 0);
  expect("verify", 0);
  expect("rollback", 0);
  EXPECT_EQ(db().text("SELECT string_agg(id || '>' || up, ',' ORDER BY id) FROM a_b.c"), "1>1,2>2");
}

TEST_F(RetypeOwner, ANameThatIsTakenIsRefused) {
  make_orders();
  take("price");
  expect("run", 9);
  const auto function = db().text(kFunctions);
  const auto trigger = db().text("SELECT min(tgname) FROM pg_trigger WHERE tgrelid = 'orders'::regclass");
  expect("rollback", 0);
  db().exec("CREATE FUNCTION pgsluice." + function +
            "() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'");
  db().exec("CREATE TRIGGER " + trigger + " BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION pgsluice." +
            function + "()");
  const auto told = run(trial_.text_command("check"));
  EXPECT_THAT(told.out + told.err,
              AllOf(HasSubstr("function \"pgsluice\".\"" + function + "\" already exists"),
                    HasSubstr("trigger \"" + trigger + "\" of table orders already exists")));
  expect("run", 5);
  EXPECT_EQ(db().text(kFunctions), function);
}

TEST_F(RetypeOwner, ATableThatIsDroppedRenamedOrLostItsColumnLeavesNothingBehind) {
  for (const char* change :
       {"DROP TABLE orders", "ALTER TABLE orders RENAME TO sales",
        "ALTER TABLE orders RENAME COLUMN price TO cost", "ALTER TABLE orders DROP COLUMN price CASCADE"}) {
    db().exec("DROP TABLE IF EXISTS orders, sales");
    make_orders();
    take("price");
    expect("run", 9);
    db().exec(change);
    expect("rollback", 0);
    EXPECT_EQ(db().text(kFunctions), "") << change;
    EXPECT_EQ(db().number(
                  "SELECT count(*) FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid WHERE c.relname IN "
                  "('orders', 'sales')"),
              0)
        << change;
    EXPECT_EQ(db().number("SELECT count(*) FROM pg_attribute WHERE attname IN ('price_new', 'price_old')"), 0)
        << change;
  }
}

TEST_F(RetypeOwner, AChildThatIsGoneOrRenamedAfterTheCutoverKeepsNobodyFromTheEnd) {
  int number = 0;
  for (const char* change : {"DROP TABLE b", "ALTER TABLE b RENAME TO bee"}) {
    for (const char* end : {"rollback", "contract"}) {
      db().exec(
          "DROP TABLE IF EXISTS a, b, bee; CREATE TABLE a (id serial PRIMARY KEY, v text); CREATE TABLE b "
          "(id int "
          "PRIMARY KEY REFERENCES a); INSERT INTO a (v) VALUES ('x'); INSERT INTO b VALUES (1)");
      trial_.job("name = \"end-" + std::to_string(++number) +
                 "\"\n\n[[step]]\nkind = \"retype\"\nname = \"ids\"\ntables = "
                 "[\"a\"]\nto = \"uuid\"\nmapping = \"embed\"\n");
      expect("run", 9);
      expect("cutover", 0);
      db().exec(change);
      expect(end, 0);
      EXPECT_EQ(
          db().text("SELECT string_agg(attname, ',' ORDER BY attname) FROM pg_attribute WHERE attrelid = "
                    "'a'::regclass AND attnum > 0 AND NOT attisdropped"),
          "id,v");
      EXPECT_NE(db().text("INSERT INTO a (v) VALUES ('y') RETURNING id"), "");
      EXPECT_EQ(db().text(kFunctions), "") << change << ", " << end;
    }
  }
}

TEST_F(RetypeOwner, ARootThatIsGoneAfterTheCutoverLeavesWhatIsLeftToContract) {
  db().exec(
      "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id serial PRIMARY KEY, v text); INSERT INTO a "
      "VALUES (1); "
      "INSERT INTO b (v) VALUES ('x')");
  keys("\"a\", \"b\"", "to = \"uuid\"\nmapping = \"embed\"\n");
  expect("run", 9);
  expect("cutover", 0);
  db().exec("DROP TABLE a");
  EXPECT_THAT(refusal_of(expect("rollback", 5)).message, HasSubstr("table \"public\".\"a\" is gone"));
  EXPECT_THAT(refusal_of(expect("contract", 5)).message,
              HasSubstr("sequence b_id_seq, which gives new keys"));
  db().exec(
      "ALTER TABLE b ALTER id SET DEFAULT gen_random_uuid(); ALTER SEQUENCE b_id_seq OWNED BY NONE; ALTER "
      "TABLE b "
      "ALTER id_old DROP DEFAULT");
  expect("contract", 0);
  EXPECT_EQ(db().text("SELECT string_agg(attname, ',' ORDER BY attname) FROM pg_attribute WHERE attrelid = "
                      "'b'::regclass AND attnum > 0 AND NOT attisdropped"),
            "id,v");
  EXPECT_EQ(db().text(kFunctions), "");
}

TEST_F(RetypeOwner, ARetypeOfAnOlderLedgerIsFinishedUnderTheNamesThatItGave) {
  make_orders();
  const auto schema = schema_of(trial_);
  take("price");
  expect("run", 9);
  const auto function = db().text(kFunctions);
  db().exec("ALTER FUNCTION pgsluice." + function + " RENAME TO sync_widen_public_orders");
  for (const char* event : {"insert", "update"}) {
    const auto trigger =
        db().text(std::string("SELECT tgname FROM pg_trigger WHERE tgrelid = 'orders'::regclass AND "
                              "tgname LIKE '%") +
                  event + "'");
    db().exec("ALTER TRIGGER " + trigger + " ON orders RENAME TO zzz_pgsluice_widen_" + event);
  }
  db().exec(
      "DROP TABLE pgsluice.object, pgsluice.image, pgsluice.estimate; ALTER TABLE pgsluice.step DROP COLUMN "
      "object_names; ALTER "
      "TABLE "
      "pgsluice.meta DROP "
      "CONSTRAINT meta_pkey; UPDATE pgsluice.meta SET schema_version = 4");
  expect("cutover", 0);
  EXPECT_EQ(db().number("SELECT schema_version FROM pgsluice.meta"), 9);
  EXPECT_EQ(db().text(kFunctions), "sync_widen_public_orders");
  db().exec("UPDATE orders SET price = 9 WHERE id = 9");
  expect("rollback", 0);
  EXPECT_EQ(schema_of(trial_), schema);
  EXPECT_THAT(traces_of(trial_), IsEmpty());
  expect("run", 9);  // anew, and by the new names
  EXPECT_THAT(db().text(kFunctions), HasSubstr("sync_public_orders_"));
}

// Format 5 had another word for a rollback that died after it had undone the columns, before it said so.
TEST_F(RetypeOwner, AWayBackThatAnOlderProgramLeftUnnotedIsFinished) {
  const std::string detail = "SELECT detail FROM pgsluice.step WHERE kind = 'retype'";
  make_orders();
  const auto schema = schema_of(trial_);
  take("price");
  expect("run", 9);
  expect("cutover", 0);
  auto rollback = trial_.command("rollback");
  rollback.env["PGSLUICE_FAILPOINT"] = "rollback_before_note:2";
  EXPECT_EQ(run(rollback).exit, (Exit{-1, SIGKILL}));
  ASSERT_EQ(db().text(detail), "taken back");
  db().exec(
      "DROP TABLE pgsluice.image, pgsluice.estimate; UPDATE pgsluice.step SET detail = 'swapped back' WHERE "
      "kind = 'retype'; "
      "UPDATE pgsluice.meta SET "
      "schema_version = 5");
  expect("cutover", 5);
  EXPECT_EQ(db().number("SELECT schema_version FROM pgsluice.meta"), 9);
  EXPECT_EQ(db().text(detail), "taken back");
  expect("rollback", 0);
  EXPECT_EQ(db().text(detail), "");
  EXPECT_EQ(schema_of(trial_), schema);
  EXPECT_THAT(traces_of(trial_), IsEmpty());
}

TEST_F(RetypeOwner, APublicationOfAllTablesSendsTheLedgersUpdates) {
  db().exec("CREATE PUBLICATION all_tables FOR ALL TABLES");
  make_orders();
  take("price");
  expect("run", 9);
  db().exec("UPDATE pgsluice.meta SET installed_at = now()");
  EXPECT_EQ(db().number(
                "SELECT count(*) FROM pg_class c WHERE relnamespace = 'pgsluice'::regnamespace AND relkind = "
                "'r' AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary)"),
            0);
}

// ----- where keys of new rows come from

struct Source {
  const char* name;
  const char* id;
  const char* lines;
  const char* after;  // the key of the row after the cut-over, for rows 1 and 2 before it; empty: any
};

class KeySources : public RetypeOwner, public testing::WithParamInterface<Source> {};

TEST_P(KeySources, GiveNewRowsTheirKeysFromTheFirstDayToTheLast) {
  const auto& at = GetParam();
  db().exec("CREATE EXTENSION IF NOT EXISTS \"uuid-ossp\"");
  db().exec(std::string("CREATE TABLE k (id ") + at.id +
            " PRIMARY KEY, v text); INSERT INTO k (v) VALUES ('a'), ('b')");
  db().exec("CREATE TABLE child (id int PRIMARY KEY, k int REFERENCES k); INSERT INTO child VALUES (1, 1)");
  const auto schema = schema_of(trial_);
  keys("\"k\"", at.lines);
  expect("run", 9);
  db().exec("INSERT INTO k (v) VALUES ('ready')");
  expect("cutover", 0);
  const auto key = db().text("INSERT INTO k (v) VALUES ('cut over') RETURNING id");
  if (*at.after) {
    EXPECT_EQ(key, at.after);
  }
  db().exec("INSERT INTO child (id, k) VALUES (2, '" + key + "')");
  expect("verify", 0);
  expect("rollback", 0);
  EXPECT_EQ(schema_of(trial_), schema);
  EXPECT_EQ(db().text("SELECT string_agg(id::text, ',' ORDER BY id) FROM k"), "1,2,3,4");
  EXPECT_EQ(db().text("SELECT k::text FROM child WHERE id = 2"), "4");
  EXPECT_EQ(db().text("INSERT INTO k (v) VALUES ('back') RETURNING id"), "5");
  expect("run", 9);
  expect("cutover", 0);
  expect("contract", 0);
  EXPECT_NE(db().text("INSERT INTO k (v) VALUES ('contracted') RETURNING id"), "");
  EXPECT_EQ(db().number("SELECT count(DISTINCT id) FROM k"), 6);
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, KeySources,
    testing::Values(
        Source{"SerialEmbedded", "serial", "to = \"uuid\"\nmapping = \"embed\"\n",
               "00000000-0000-8000-8000-000000000004"},
        Source{"IdentityEmbedded", "int GENERATED BY DEFAULT AS IDENTITY",
               "to = \"uuid\"\nmapping = \"embed\"\n", "00000000-0000-8000-8000-000000000004"},
        Source{"AlwaysEmbedded", "int GENERATED ALWAYS AS IDENTITY", "to = \"uuid\"\nmapping = \"embed\"\n",
               "00000000-0000-8000-8000-000000000004"},
        Source{"SerialHashed", "serial",
               "to = \"uuid\"\nmapping = \"v5\"\nnamespace = \"6ba7b810-9dad-11d1-80b4-00c04fd430c8\"\n", ""},
        Source{"SerialDrawn", "serial", "to = \"uuid\"\nmapping = \"random\"\n", ""},
        Source{"IdentityDrawn", "int GENERATED BY DEFAULT AS IDENTITY",
               "to = \"uuid\"\nmapping = \"random\"\n", ""},
        Source{"SerialText", "serial", "to = \"text\"\n", "4"},
        Source{"SerialNumeric", "serial", "to = \"numeric\"\n", "4"},
        Source{"IdentityText", "int GENERATED ALWAYS AS IDENTITY", "to = \"text\"\n", "4"},
        Source{"IdentityBig", "int GENERATED ALWAYS AS IDENTITY", "to = \"bigint\"\n", "4"},
        Source{"SerialBig", "serial", "to = \"bigint\"\n", "4"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST_F(RetypeOwner, ADefaultThatIsMoreThanASequenceIsMappedAsItIs) {
  db().exec(
      "CREATE SEQUENCE half AS integer; CREATE TABLE k (id int PRIMARY KEY DEFAULT nextval('half') * 2, v "
      "text); INSERT "
      "INTO k (v) VALUES ('a')");
  const auto schema = schema_of(trial_);
  keys("\"k\"", "to = \"bigint\"\n");
  expect("run", 9);
  expect("cutover", 0);
  EXPECT_EQ(db().text("INSERT INTO k (v) VALUES ('b') RETURNING id"), "4");
  EXPECT_EQ(db().text("SELECT data_type::text FROM pg_sequences WHERE sequencename = 'half'"), "bigint");
  expect("rollback", 0);
  EXPECT_EQ(db().text("INSERT INTO k (v) VALUES ('c') RETURNING id"), "6");
  EXPECT_EQ(without(schema, schema_of(trial_)).size(), 1U);  // the sequence stays bigint
}

TEST_F(RetypeOwner, ADeferrableKeyOrAnExclusionIsRefusedByName) {
  db().exec(
      "CREATE TABLE k (id int CONSTRAINT k_late PRIMARY KEY DEFERRABLE, n int CONSTRAINT n_late UNIQUE "
      "DEFERRABLE "
      "INITIALLY DEFERRED, r int, CONSTRAINT r_apart EXCLUDE USING btree (r WITH =))");
  for (const auto& [column, name] :
       std::map<std::string, std::string>{{"id", "k_late"}, {"n", "n_late"}, {"r", "r_apart"}}) {
    trial_.job("name = \"d\"\n\n[[step]]\nkind = \"retype\"\nname = \"ids\"\ntable = \"k\"\ncolumn = \"" +
               column + "\"\nto = \"bigint\"\n");
    EXPECT_THAT(refusal_of(expect("run", 5)).message, HasSubstr("\"" + name + "\""));
  }
}

TEST_F(RetypeOwner, AnIdentityOfAnotherRolesTableAndADescendingOneAreContracted) {
  const auto role = trial_.make_role("owner");
  db().exec(
      "CREATE TABLE k (id int GENERATED ALWAYS AS IDENTITY (START 1000 INCREMENT -1 MAXVALUE 1000 MINVALUE "
      "0) PRIMARY KEY, "
      "v text); INSERT INTO k (v) VALUES ('a'), ('b'); ALTER TABLE k OWNER TO " +
      role);
  keys("\"k\"", "to = \"uuid\"\nmapping = \"embed\"\n");
  expect("run", 9);
  expect("cutover", 0);
  expect("contract", 0);
  db().exec("SET ROLE " + role);
  EXPECT_EQ(db().text("INSERT INTO k (v) VALUES ('c') RETURNING id"), "00000000-0000-8000-8000-0000000003e6");
}

TEST_F(RetypeOwner, AnIdentityThatGivesAnotherTableItsNumbersIsRefused) {
  db().exec(
      "CREATE TABLE k (id int GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY); CREATE TABLE b (id int DEFAULT "
      "nextval('k_id_seq'))");
  keys("\"k\"", "to = \"bigint\"\n");
  EXPECT_THAT(refusal_of(expect("run", 5)).message, HasSubstr("also supplies b with numbers"));
}

TEST_F(RetypeOwner, AReferenceThatNobodyLooksAtIsReadForValuesThatWouldBeCut) {
  db().exec(
      "CREATE TABLE p (tenant int, code numeric, PRIMARY KEY (tenant, code)); CREATE TABLE c (id int PRIMARY "
      "KEY, tenant int, "
      "code numeric, FOREIGN KEY (tenant, code) REFERENCES p); INSERT INTO p VALUES (1, 1.5); INSERT INTO c "
      "VALUES (1, 1, 1.5), "
      "(2, NULL, 1.2345)");
  trial_.job(
      "name = \"c\"\n\n[[step]]\nkind = \"retype\"\nname = \"ids\"\ntable = \"p\"\ncolumn = \"code\"\nto = "
      "\"numeric(10,2)\"\n");
  EXPECT_THAT(refusal_of(expect("run", 5)).message, HasSubstr("(2): '1.2345' would become '1.23'"));
}

}  // namespace
}  // namespace pgsluice::test
