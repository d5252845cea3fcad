#include "pg/connection/connection_target.hpp"

#include <libpq-fe.h>

#include <cstdlib>
#include <memory>

#include "pgsluice/error.hpp"

namespace pgsluice::pg {
namespace {

struct Default {
  const char* keyword;
  const char* value;
  const char* variable;  // the PG* variable for the same setting, which wins if set
};

// A dead host must not block a lane longer than a lease lasts (15 s).
constexpr Default kDefaults[] = {
    {"connect_timeout", "5", "PGCONNECT_TIMEOUT"},  // seconds
    {"keepalives_idle", "5", nullptr},              // seconds
    {"keepalives_interval", "2", nullptr},          // seconds
    {"keepalives_count", "3", nullptr},
    {"tcp_user_timeout", "10000", nullptr},  // milliseconds until unacknowledged data cuts the connection
    {"client_encoding", "UTF8", "PGCLIENTENCODING"},
};

std::string quoted(const std::string& value) {
  std::string out = "'";
  for (const char c : value) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

std::string setting_or_environment(const std::map<std::string, std::string>& settings, const char* keyword,
                                   const char* variable) {
  if (const auto it = settings.find(keyword); it != settings.end()) return it->second;
  const char* value = std::getenv(variable);
  return value ? value : "";
}

}  // namespace

ConnectionTarget::ConnectionTarget(const std::string& dsn) {
  char* message = nullptr;
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(
      PQconninfoParse(dsn.c_str(), &message), &PQconninfoFree);
  PQfreemem(message);
  if (!options) {
    throw Error(ExitCode::kUsage, "the connection string cannot be read",
                "write it as \"host=… dbname=… user=…\" or as postgresql://user@host/dbname");
  }
  for (const auto* option = options.get(); option->keyword; ++option) {
    if (option->val) settings_[option->keyword] = option->val;
  }
}

std::string ConnectionTarget::conninfo(const std::string& application_name) const {
  auto settings = settings_;
  settings["application_name"] = application_name;
  for (const auto& d : kDefaults) {
    if (!d.variable || !std::getenv(d.variable)) settings.try_emplace(d.keyword, d.value);
  }
  std::string out;
  for (const auto& [keyword, value] : settings) {
    if (!out.empty()) out += ' ';
    out += keyword + "=" + quoted(value);
  }
  return out;
}

std::map<std::string, std::string> ConnectionTarget::environment() const {
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(PQconninfoParse("", nullptr),
                                                                             &PQconninfoFree);
  std::map<std::string, std::string> variables;
  for (const auto* option = options.get(); option && option->keyword; ++option) {
    const auto setting = settings_.find(option->keyword);
    if (option->envvar && setting != settings_.end()) variables[option->envvar] = setting->second;
  }
  return variables;
}

std::vector<std::string> ConnectionTarget::secrets() const {
  std::vector<std::string> out;
  for (const char* keyword : {"password", "sslpassword"}) {
    if (const auto it = settings_.find(keyword); it != settings_.end()) out.push_back(it->second);
  }
  if (const char* password = std::getenv("PGPASSWORD")) out.emplace_back(password);
  return out;
}

std::string ConnectionTarget::display() const {
  const auto host = setting_or_environment(settings_, "host", "PGHOST");
  const auto port = setting_or_environment(settings_, "port", "PGPORT");
  const auto database = setting_or_environment(settings_, "dbname", "PGDATABASE");
  const auto user = setting_or_environment(settings_, "user", "PGUSER");
  std::string out = database.empty() ? "the default database" : "database \"" + database + "\"";
  if (!host.empty()) out += " on " + host;
  if (!port.empty()) out += (host.empty() ? " on port " : ":") + port;
  if (!user.empty()) out += " as " + user;
  return out;
}

}  // namespace pgsluice::pg
