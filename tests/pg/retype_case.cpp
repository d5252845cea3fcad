#include "pg/retype_case.hpp"

#include <stdexcept>

namespace pgsluice::test {

namespace {

const int kRows = 20;
const int kAttempts = 60;  // to find so many values that fit
const int kWrites = 8;     // between two acts

/// True where two columns hold the very same, byte for byte.
std::string same(const std::string& left, const std::string& right) {
  return "pg_catalog.record_image_eq(ROW(" + left + "), ROW(" + right + "))";
}

std::string list(const std::set<int>& ids) {
  std::string result = "0";
  for (const int id : ids) result += ", " + std::to_string(id);
  return result;
}

std::string told(const Finished& finished) {
  for (const auto& line : events_of(finished.err, "exit_error")) return line.dump();
  return "code " + std::to_string(finished.code());
}

}  // namespace

RetypeCase::RetypeCase(Trial& trial, CastPair pair, int number, Random& random)
    : trial_(trial),
      pair_(std::move(pair)),
      random_(random),
      name_("case-" + std::to_string(number)),
      table_("case_" + std::to_string(number)),
      twin_("twin_" + std::to_string(number)),
      is_mild_(chance(random, 80)),
      is_mild_later_(chance(random, 60)),
      is_required_(chance(random, 15)),
      is_indexed_(chance(random, 25)),
      application_(trial.dsn()),
      conversions_(application_, pair_, is_required_) {
  const auto given = [](const std::string& key, const std::string& value) {
    return value.empty() ? "" : key + " = '''" + value + "'''\n";
  };
  trial.job("name = \"" + name_ + "\"\n[[step]]\nkind = \"retype\"\nname = \"change\"\ntable = \"" + table_ +
            "\"\ncolumn = \"c\"\nto = '" + pair_.to.sql + "'\n" + given("using", pair_.forth) +
            given("back", pair_.back));
}

Ending RetypeCase::play() {
  fill();
  const auto before = shape();
  const auto run = say("run");
  if (run.code() != 9) return end_of_run(run, before);
  require(conversions_.forth().is_possible, "the server knows no way from type to type, and run found one");
  write_while_ready();
  expect_same("while ready");
  prepare("CREATE TABLE before_" + table_ + " AS SELECT id, c FROM " + table_);
  if (!cut_over()) return give_back(before);
  write_to_both(pair_.to, pair_.from, true);
  expect_same("after the cut-over");
  go_back(before);
  make_twin();
  write_to_both(pair_.from, pair_.to, false);
  expect_same("after the way back");
  return Ending::kCarried;
}

std::string RetypeCase::title() const {
  std::string result = pair_.from.sql + " -> " + pair_.to.sql;
  if (!pair_.forth.empty()) result += ", using = " + pair_.forth;
  if (!pair_.back.empty()) result += ", back = " + pair_.back;
  return result;
}

std::string RetypeCase::story() const {
  std::string result = title();
  for (const auto& line : story_) result += "\n  " + line + ";";
  return result;
}

// ----- the acts

void RetypeCase::fill() {
  prepare("CREATE TABLE " + table_ + " (id int PRIMARY KEY, c " + pair_.from.sql +
          (is_required_ ? " NOT NULL" : "") + ", note text DEFAULT '', n int DEFAULT 0)");
  if (is_indexed_) attempt("CREATE INDEX ON " + table_ + " (c)");  // not every type has an order
  for (int attempts = 0; attempts < kAttempts && last_id_ < kRows; ++attempts) {
    const auto value = random_mixed_literal(pair_.from.values, pair_.to.values, random_);
    const auto fit = conversions_.fit(value);
    // Of some pairs no value fits both: bits of two lengths.
    if (attempts > kAttempts / 2 && last_id_ == 0) is_mild_ = false;
    if (is_mild_ && fit != Fit::kClean) continue;
    const auto id = std::to_string(last_id_ + 1);
    if (!attempt("INSERT INTO " + table_ + " (id, c) VALUES (" + id + ", " + value + ")")) ++last_id_;
  }
  require(last_id_ > 0, "the test found no value that its type takes");
  for (const auto& write : random_writes(pair_.from.values, pair_.to.values, kWrites, &last_id_, random_)) {
    const auto fit = write.is_of_value() ? conversions_.fit(write.new_value(table_)) : Fit::kClean;
    if (!is_mild_ || fit == Fit::kClean) attempt(write.sql(table_));
  }
  make_twin();
}

void RetypeCase::make_twin() {
  prepare("DROP TABLE IF EXISTS " + twin_);
  prepare("CREATE TABLE " + twin_ + " (LIKE " + table_ + " INCLUDING ALL); INSERT INTO " + twin_ +
          " SELECT * FROM " + table_);
}

Ending RetypeCase::end_of_run(const Finished& run, const std::string& before) {
  const int code = run.code();
  reason_ = told(run);
  if (code == 1 || code == 3) return give_back(before);
  require(code == 5 || code == 77 || code == 78, "run ended otherwise: " + told(run) + run.err);
  expect_untouched(before);
  require(!pair_.is_same_bytes, "refused, though nothing can be wrong with any value: " + told(run));
  return Ending::kRefused;
}

void RetypeCase::expect_untouched(const std::string& before) {
  require(shape() == before, "the table is not what it was: " + shape() + "\nbut was: " + before);
  expect_same("given back");
}

// A row that cannot be mapped is no reason for the application to fail in other columns.
Ending RetypeCase::give_back(const std::string& before) {
  for (const auto* sets : {"n = n + 1", "n = n + 1, c = c"}) {
    for (const auto& table : {table_, twin_}) {
      const auto refused = attempt("UPDATE " + table + " SET " + sets);
      require(!refused, "a write to another column failed: " + refused.value_or(""));
    }
  }
  const auto rollback = say("rollback");
  const bool had_nothing_to_do = rollback.code() == 5 && shape() == before;
  require(rollback.code() == 0 || had_nothing_to_do, "rollback failed: " + told(rollback));
  expect_untouched(before);
  return Ending::kUnmapped;
}

bool RetypeCase::cut_over() {
  const auto cutover = say("cutover");
  const auto fit = convert(twin_, conversions_.forth(), conversions_.back());
  if (cutover.code() != 0) {
    reason_ = "cutover: " + told(cutover);
    require(fit != Fit::kClean, "cutover failed, though ALTER TABLE loses nothing: " + told(cutover));
    if (fit == Fit::kLossy) make_twin();
    return false;
  }
  require(fit != Fit::kNone, "cut over with values that ALTER TABLE does not let pass");
  require(type_of(table_) == type_of(twin_), "cut over to " + type_of(table_) + ", not " + type_of(twin_));
  expect_same("cut over");
  prepare("CREATE TABLE then_" + table_ + " AS SELECT id, c FROM " + twin_);
  return true;
}

void RetypeCase::write_while_ready() {
  for (const auto& write : random_writes(pair_.from.values, pair_.to.values, kWrites, &last_id_, random_)) {
    prepare(random_settings(random_));
    const auto fit = write.is_of_value() ? conversions_.fit(write.new_value(table_)) : Fit::kClean;
    if (is_left_out(write, fit, is_mild_)) continue;
    const auto refused = attempt(write.sql(table_));
    if (!refused) {
      const auto refused_by_twin = attempt(write.sql(twin_));
      require(!refused_by_twin, "only the twin refuses: " + refused_by_twin.value_or(""));
      continue;
    }
    require(write.is_of_value(), "while ready a write to another column failed: " + *refused);
    require(fit != Fit::kClean, "while ready a value that both types take was refused: " + *refused);
  }
}

void RetypeCase::write_to_both(const ColumnType& type, const ColumnType& other, bool is_cut_over) {
  for (const auto& write : random_writes(type.values, other.values, kWrites, &last_id_, random_)) {
    prepare(random_settings(random_));
    const bool is_tried = is_cut_over && is_mild_later_ && write.is_of_value();
    const auto fit = is_tried ? conversions_.fit_back(write.new_value(table_)) : Fit::kClean;
    if (is_left_out(write, fit, is_tried) || attempt(write.sql(twin_))) continue;
    const auto refused = attempt(write.sql(table_));
    require(!refused, "a write that the column's type takes was refused: " + refused.value_or(""));
    if (is_cut_over && write.kind != Write::Kind::kOther) touched_.insert(write.id);
  }
}

void RetypeCase::go_back(const std::string& before) {
  sort_touched_rows();
  auto rollback = say("rollback");
  if (rollback.code() == 0) {
    require(changed_ != Fit::kNone, "went back with values that ALTER TABLE does not let pass");
  } else {
    require(changed_ != Fit::kClean || rewritten_ != Fit::kClean,
            "rollback failed, though ALTER TABLE loses nothing: " + told(rollback));
    require((rollback.out + rollback.err).find(table_) != std::string::npos,
            "rollback does not name the table: " + told(rollback));
    require(type_of(table_) == type_of(twin_), "the refused way back left a column of another type");
    expect_same("after the refused way back");
    delete_touched_rows();
    rollback = say("rollback");
    require(rollback.code() == 0, "rollback failed without the rows that do not fit: " + told(rollback));
  }
  require(shape() == before, "after the way back the table is " + shape() + "\nbut was: " + before);
  expect_old_values();
}

// ----- the way back

// A row that was written and holds what it held at the cut-over may have its original, or what a cast makes.
void RetypeCase::sort_touched_rows() {
  const auto rows = " AS SELECT t.id, t.c FROM " + twin_ + " t LEFT JOIN then_" + table_ +
                    " s USING (id) WHERE t.id IN (" + list(touched_) + ") AND ";
  const auto is_same = "(s.id IS NOT NULL AND " + same("t.c", "s.c") + ")";
  prepare("CREATE TABLE changed_" + table_ + rows + "NOT " + is_same);
  prepare("CREATE TABLE rewritten_" + table_ + rows + is_same);
  for (const auto& table : {"changed_" + table_, "rewritten_" + table_}) {
    if (is_required_) prepare("ALTER TABLE " + table + " ALTER COLUMN c SET NOT NULL");
  }
  changed_ = convert("changed_" + table_, conversions_.back(), conversions_.forth());
  rewritten_ = convert("rewritten_" + table_, conversions_.back(), conversions_.forth());
}

void RetypeCase::delete_touched_rows() {
  for (const auto& table : {table_, twin_}) {
    prepare("DELETE FROM " + table + " WHERE id IN (" + list(touched_) + ")");
  }
}

void RetypeCase::expect_old_values() {
  const auto is_original = same("a.c", "b.c");
  const auto is_rewritten =
      rewritten_ == Fit::kNone ? is_original : is_original + " OR " + same("a.c", "r.c");
  expect_no_row("SELECT coalesce(a.id, t.id), a.c, b.c, k.c FROM " + twin_ + " t FULL JOIN " + table_ +
                    " a USING (id) LEFT JOIN before_" + table_ + " b USING (id) LEFT JOIN changed_" + table_ +
                    " k USING (id) LEFT JOIN rewritten_" + table_ +
                    " r USING (id) WHERE a.id IS NULL OR t.id IS NULL OR NOT " +
                    same("a.note, a.n", "t.note, t.n") + " OR NOT CASE WHEN k.id IS NOT NULL THEN " +
                    same("a.c", "k.c") + " WHEN r.id IS NOT NULL THEN " + is_rewritten + " ELSE " +
                    is_original + " END",
                "on the way back: row; is, was before the cut-over, is by ALTER TABLE");
}

Fit RetypeCase::convert(const std::string& table, const Conversion& away, const Conversion& home) {
  auto& db = trial_.db();
  if (db.number("SELECT count(*) FROM " + table) == 0 && !away.is_possible) return Fit::kClean;
  db.exec("CREATE TABLE away_" + table + " AS TABLE " + table);
  const auto refused = refusal_by_server(db, away.alter(table));
  story_.push_back(away.alter(table) + refused.value_or(""));
  if (refused) return Fit::kNone;
  db.exec("CREATE TABLE home_" + table + " AS TABLE " + table);
  if (refusal_by_server(db, home.alter("home_" + table))) return Fit::kLossy;
  return db.yes("SELECT coalesce(bool_and(" + same("a.c", "z.c") + "), true) FROM away_" + table +
                " a JOIN home_" + table + " z USING (id)")
             ? Fit::kClean
             : Fit::kLossy;
}

// ----- its tools

Finished RetypeCase::say(const std::string& verb) {
  auto finished = trial_.verb(verb);
  story_.push_back("pgsluice " + verb + ": " + told(finished));
  return finished;
}

void RetypeCase::prepare(const std::string& sql) {
  story_.push_back(sql);
  application_.exec(sql);
}

std::optional<std::string> RetypeCase::attempt(const std::string& sql) {
  auto refused = refusal_by_server(application_, sql);
  story_.push_back(refused ? sql + " -- " + *refused : sql);
  return refused;
}

bool RetypeCase::is_left_out(const Write& write, Fit fit, bool is_mild) {
  return write.is_of_value() && is_mild && fit != Fit::kClean && chance(random_, 85);
}

std::string RetypeCase::shape() {
  const auto of = [this](const std::string& column) { return column + " = '" + table_ + "'::regclass"; };
  return trial_.db().text(
      "SELECT string_agg(line, ', ' ORDER BY line) FROM (SELECT attname || ' ' || format_type(atttypid, "
      "atttypmod) || "
      "attnotnull AS line FROM pg_attribute WHERE attnum > 0 AND NOT attisdropped AND " +
      of("attrelid") + " UNION ALL SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE " + of("tgrelid") +
      " UNION ALL SELECT conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint WHERE " +
      of("conrelid") + " UNION ALL SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE " + of("indrelid") +
      ") AS shape");
}

std::string RetypeCase::type_of(const std::string& table) {
  return trial_.db().text(
      "SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attname = 'c' AND "
      "attrelid = '" +
      table + "'::regclass");
}

void RetypeCase::expect_same(const std::string& when) {
  expect_no_row("SELECT coalesce(a.id, t.id), a.c, t.c, ROW(a.note, a.n), ROW(t.note, t.n) FROM " + table_ +
                    " a FULL JOIN " + twin_ + " t USING (id) WHERE a.id IS NULL OR t.id IS NULL OR NOT " +
                    same("a.c, a.note, a.n", "t.c, t.note, t.n"),
                when + ": row; is, is by ALTER TABLE");
}

void RetypeCase::expect_no_row(const std::string& query, const std::string& claim) {
  std::string found;
  for (const auto& row : trial_.db().rows(query + " ORDER BY 1 LIMIT 3")) {
    for (const auto& field : row) found += "[" + field.substr(0, 80) + "] ";
    found += "\n";
  }
  require(found.empty(), claim + "\n" + found);
}

void RetypeCase::require(bool holds, const std::string& claim) const {
  if (!holds) throw std::runtime_error(claim);
}

}  // namespace pgsluice::test
