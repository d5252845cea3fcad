#include "pg/connection/wire.hpp"

#include <libpq-fe.h>
#include <poll.h>

#include <algorithm>
#include <memory>
#include <vector>

namespace pgsluice::pg::wire {
namespace {

using Clock = std::chrono::steady_clock;
using Result = std::unique_ptr<PGresult, decltype(&PQclear)>;

// How soon an abort is noticed while the server says nothing.
constexpr std::chrono::milliseconds kLook{100};
// Handed to libpq at a time: it sends what it has before it takes more, so its buffer stays this small.
constexpr std::size_t kPieceBytes = 65'536;

std::string trimmed(std::string message) {
  while (!message.empty() && (message.back() == '\n' || message.back() == ' ')) message.pop_back();
  return message;
}

[[noreturn]] void fail(PGconn* connection, const PGresult* result) {
  const bool is_lost = PQstatus(connection) != CONNECTION_OK;
  const char* state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : nullptr;
  std::string message = trimmed(result ? PQresultErrorMessage(result) : PQerrorMessage(connection));
  if (message.empty())
    message = is_lost ? "the connection to the server was lost" : "the server said nothing";
  throw WireError(state ? state : "", message, is_lost);
}

/// Waits until the server has sent something more.
void await_bytes(PGconn* connection, const Patience& patience) {
  const auto began = Clock::now();
  for (;;) {
    if (patience.is_aborted && *patience.is_aborted)
      throw WireError("57014", "the session was told to end", false);
    if (PQstatus(connection) != CONNECTION_OK) fail(connection, nullptr);
    pollfd at{PQsocket(connection), POLLIN, 0};
    const int ready = poll(&at, 1, static_cast<int>(kLook.count()));
    if (ready > 0) {
      if (PQconsumeInput(connection) == 0) fail(connection, nullptr);
      return;
    }
    const auto silent = Clock::now() - began;
    if (patience.silence.count() > 0 && silent >= patience.silence)
      throw WireError(
          "08006",
          "the server has said nothing for " + std::to_string(patience.silence.count() / 1'000) + " seconds",
          true);
  }
}

Result next_result(PGconn* connection, const Patience& patience) {
  while (PQisBusy(connection) != 0) await_bytes(connection, patience);
  return {PQgetResult(connection), &PQclear};
}

bool is_error(const PGresult* result) {
  const auto status = PQresultStatus(result);
  return status == PGRES_FATAL_ERROR || status == PGRES_BAD_RESPONSE || status == PGRES_NONFATAL_ERROR;
}

/// The last result, once all have come; the first error counts.
Result last_result(PGconn* connection, const Patience& patience) {
  Result last{nullptr, &PQclear};
  Result error{nullptr, &PQclear};
  while (auto result = next_result(connection, patience)) {
    if (is_error(result.get()) && !error)
      error = std::move(result);
    else
      last = std::move(result);
    if (PQstatus(connection) != CONNECTION_OK) break;
  }
  if (error || !last) fail(connection, error.get());
  return last;
}

void send(PGconn* connection, const std::string& sql, const Params* params) {
  std::vector<const char*> values;
  if (params) {
    for (const auto& value : *params) values.push_back(value ? value->c_str() : nullptr);
  }
  const int sent = params ? PQsendQueryParams(connection, sql.c_str(), static_cast<int>(values.size()),
                                              nullptr, values.data(), nullptr, nullptr, 0)
                          : PQsendQuery(connection, sql.c_str());
  if (sent == 0) fail(connection, nullptr);
}

std::int64_t affected(PGresult* result) {
  const std::string text = PQcmdTuples(result);
  return text.empty() ? 0 : std::stoll(text);
}

Rows rows_of(PGresult* result) {
  std::vector<std::vector<Value>> rows(static_cast<std::size_t>(PQntuples(result)));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const int row = static_cast<int>(i);
    for (int column = 0; column < PQnfields(result); ++column) {
      if (PQgetisnull(result, row, column) != 0)
        rows[i].emplace_back();
      else
        rows[i].emplace_back(std::string(PQgetvalue(result, row, column),
                                         static_cast<std::size_t>(PQgetlength(result, row, column))));
    }
  }
  return Rows(std::move(rows), affected(result));
}

void send_cancel(PGconn* connection) {
  const std::unique_ptr<PGcancel, decltype(&PQfreeCancel)> cancel(PQgetCancel(connection), &PQfreeCancel);
  char why[256];
  if (cancel) PQcancel(cancel.get(), why, sizeof why);
}

/// One line, or nullopt at the end.
struct Line {
  std::unique_ptr<char, decltype(&PQfreemem)> text{nullptr, &PQfreemem};
  std::size_t length = 0;
};
Line next_line(PGconn* connection, const Patience& patience) {
  for (;;) {
    char* buffer = nullptr;
    const int got = PQgetCopyData(connection, &buffer, 1);
    if (got > 0) return {{buffer, &PQfreemem}, static_cast<std::size_t>(got)};
    if (got == -2) fail(connection, nullptr);
    if (got == -1) return {};
    await_bytes(connection, patience);
  }
}

void start_copy(PGconn* connection, const std::string& sql, ExecStatusType wanted, const Patience& patience) {
  send(connection, sql, nullptr);
  const auto begun = next_result(connection, patience);
  if (begun && PQresultStatus(begun.get()) == wanted) return;
  if (begun && is_error(begun.get())) {
    while (PQstatus(connection) == CONNECTION_OK && next_result(connection, patience)) {
    }
  }
  fail(connection, begun.get());
}

}  // namespace

Rows exec(pg_conn* connection, const std::string& sql, const Params* params, const Patience& patience) {
  send(connection, sql, params);
  return rows_of(last_result(connection, patience).get());
}

bool copy_out(pg_conn* connection, const std::string& sql, const TakeLine& take, const Patience& patience) {
  start_copy(connection, sql, PGRES_COPY_OUT, patience);
  std::int64_t lines = 0;
  for (auto line = next_line(connection, patience); line.text; line = next_line(connection, patience)) {
    ++lines;
    if (take({line.text.get(), line.length})) continue;
    send_cancel(connection);
    // A client that stops reading stalls a standby's replay: what is on its way is read and thrown away.
    while (next_line(connection, patience).text) {
    }
    while (PQstatus(connection) == CONNECTION_OK && next_result(connection, patience)) {
    }
    return false;
  }
  // The end of the lines looks the same whether the copy is whole or broke off: only the result tells.
  const auto counted = affected(last_result(connection, patience).get());
  if (counted != lines)
    throw WireError(
        "08P01", "the server sent " + std::to_string(lines) + " rows and counted " + std::to_string(counted),
        true);
  return true;
}

std::int64_t copy_in(pg_conn* connection, const std::string& sql, std::string_view lines) {
  start_copy(connection, sql, PGRES_COPY_IN, {});
  for (std::size_t at = 0; at < lines.size(); at += kPieceBytes) {
    const auto piece = lines.substr(at, kPieceBytes);
    if (PQputCopyData(connection, piece.data(), static_cast<int>(piece.size())) != 1) break;
  }
  // After a failure too: the server's own words come with the result.
  PQputCopyEnd(connection, nullptr);
  return affected(last_result(connection, {}).get());
}

}  // namespace pgsluice::pg::wire
