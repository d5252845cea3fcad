#include "support/db.hpp"

#include <pqxx/pqxx>
#include <stdexcept>

namespace pgsluice::test {

struct Db::Connection {
  explicit Connection(const std::string& dsn) : session(dsn) {}

  pqxx::result run(const std::string& sql) { return pqxx::nontransaction(session).exec(sql); }

  pqxx::connection session;
};

namespace {

std::vector<std::string> texts(const pqxx::row& row) {
  std::vector<std::string> result;
  for (const auto& field : row) result.emplace_back(field.is_null() ? kNull : field.c_str());
  return result;
}

}  // namespace

Db::Db(const std::string& dsn) : connection_(std::make_unique<Connection>(dsn)) {}
Db::~Db() = default;
Db::Db(Db&&) noexcept = default;
Db& Db::operator=(Db&&) noexcept = default;

void Db::exec(const std::string& sql) {
  connection_->run(sql);
}

std::string Db::text(const std::string& sql) {
  const auto values = column(sql);
  if (values.empty()) throw std::runtime_error("no row: " + sql);
  return values.front();
}

std::int64_t Db::number(const std::string& sql) {
  return std::stoll(text(sql));
}

bool Db::yes(const std::string& sql) {
  return text(sql) == "t";
}

std::vector<std::vector<std::string>> Db::rows(const std::string& sql) {
  std::vector<std::vector<std::string>> result;
  for (const auto& row : connection_->run(sql)) result.push_back(texts(row));
  return result;
}

std::vector<std::string> Db::column(const std::string& sql) {
  std::vector<std::string> result;
  for (const auto& row : rows(sql)) result.push_back(row.at(0));
  return result;
}

int Db::backend_pid() {
  return connection_->session.backendpid();
}

std::int64_t differences(Db& db, const std::string& query, const std::string& other_query) {
  return db.number("SELECT count(*) FROM ((" + query + " EXCEPT ALL " + other_query + ") UNION ALL (" +
                   other_query + " EXCEPT ALL " + query + ")) AS difference");
}

}  // namespace pgsluice::test
