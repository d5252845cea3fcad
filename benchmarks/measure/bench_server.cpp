#include "measure/bench_server.hpp"

#include <atomic>
#include <exception>
#include <iostream>

namespace pgsluice::bench {
namespace {

test::ServerOptions server_options(const Options& options, const test::Settings& more) {
  test::ServerOptions result;
  result.fsync = true;
  result.settings = {
      {"shared_buffers", options.quick ? "256MB" : "1GB"},
      {"max_wal_size", "24GB"},
      {"min_wal_size", "4GB"},  // recycled segments stay, so that no trial pays for making new ones
      {"checkpoint_timeout", "1h"},
      {"autovacuum", "off"},
  };
  for (const auto& [name, value] : more) result.settings[name] = value;
  return result;
}

std::string next_name() {
  static std::atomic<int> count{0};
  return "trial_" + std::to_string(++count);
}

}  // namespace

TrialDatabase::TrialDatabase(test::PrivateServer& server, const std::string& template_name)
    : server_(server), name_(next_name()) {
  // In one copy; from 15 on the server would else write every page into the WAL too.
  auto server_db = server_.connect();
  const bool has_strategy = server_db.number("SHOW server_version_num") >= 150'000;
  server_db.exec("CREATE DATABASE " + name_ + " TEMPLATE " + template_name +
                 (has_strategy ? " STRATEGY file_copy" : ""));
  db_ = std::make_unique<test::Db>(dsn());
  db_->exec(
      "SELECT pg_prewarm(oid) FROM pg_class WHERE relkind IN ('r', 'i') AND relnamespace = "
      "'public'::regnamespace");
  db_->exec("CHECKPOINT");
}

TrialDatabase::~TrialDatabase() {
  db_.reset();
  try {
    server_.connect().exec("DROP DATABASE " + name_ + " WITH (FORCE)");
  } catch (const std::exception& error) {
    std::cerr << "database " << name_ << " stays until the server goes: " << error.what() << "\n";
  }
}

BenchServer::BenchServer(const Options& options, const test::Settings& more)
    : server_(server_options(options, more)) {}

void BenchServer::make_template(const std::string& name, const std::string& sql) {
  auto db = test::Db(server_.create_database(name));
  db.exec("CREATE EXTENSION pg_prewarm");
  db.exec(sql);
  db.exec("VACUUM (FREEZE, ANALYZE)");
}

double wal_position(test::Db& db) {
  return std::stod(db.text("SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')"));
}

}  // namespace pgsluice::bench
