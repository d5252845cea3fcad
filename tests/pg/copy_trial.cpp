#include "pg/copy_trial.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>

#include "support/shared_server.hpp"

namespace pgsluice::test {
namespace {

constexpr const char* kExact =
    "SET datestyle = 'ISO, MDY'; SET timezone = 'UTC'; SET extra_float_digits = 1; SET bytea_output = 'hex'; "
    "SET "
    "intervalstyle = 'postgres'";

std::vector<std::string> missing(const std::vector<std::string>& from, const std::vector<std::string>& in) {
  std::vector<std::string> out;
  std::set_difference(from.begin(), from.end(), in.begin(), in.end(), std::back_inserter(out));
  if (out.size() > 5) out.resize(5);
  return out;
}

}  // namespace

CopyTrial::CopyTrial() : CopyTrial(SharedServer::get(), SharedServer::get()) {}

CopyTrial::CopyTrial(PrivateServer& source, PrivateServer& target)
    : trial_(target), source_dsn_(source.fresh_database()), source_(source_dsn_) {}

void CopyTrial::both(const std::string& sql) {
  source().exec(sql);
  target().exec(sql);
}

void CopyTrial::job(const std::string& table, const std::string& from, const std::string& rest,
                    const std::string& settings) {
  trial_.job("name = \"copied\"\n" + settings +
             "\n[[step]]\nkind = \"copy\"\nname = \"copy\"\nfrom = { dsn = \"" + source_dsn_ +
             "\", table = \"" + table + "\"" + from + " }\nto = \"" + table + "\"\n" + rest + "\n");
}

void CopyTrial::expect(const std::string& verb, int code, const std::vector<std::string>& args) {
  const auto done = trial_.verb(verb, args);
  ASSERT_EQ(done.code(), code) << done.out << done.err;
}

std::vector<std::string> CopyTrial::rows(Db& db, const std::string& query) {
  db.exec(kExact);
  auto rows = db.column("SELECT q::text FROM (" + query + ") AS q");
  std::sort(rows.begin(), rows.end());
  return rows;
}

void CopyTrial::expect_same(const std::string& at_source, const std::string& at_target) {
  const auto theirs = rows(source(), at_source);
  const auto ours = rows(target(), at_target);
  EXPECT_EQ(missing(theirs, ours), std::vector<std::string>{}) << "not at the target";
  EXPECT_EQ(missing(ours, theirs), std::vector<std::string>{}) << "not at the source, or doubled";
}

}  // namespace pgsluice::test
