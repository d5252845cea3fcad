#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "support/server.hpp"

namespace pgsluice::test {

/// What becomes of a connection when the client sends the text that the trap waits for.
enum class Trap {
  kLoseRequest,  // the server never sees the bytes; both sides are cut
  kLoseAnswer,   // the server gets them and answers; the answer is thrown away, then both sides are cut
  kOrphan,  // the server gets them; the client is cut at once, and the server's side stays open, unread by
            // anybody
};

/// A network between a client and a server: 127.0.0.1 on this side, a unix socket on the other. It can
/// refuse, stall and cut. A cut reaches the client as a reset. Runs in a thread of its own; every member is
/// thread-safe, and its effect is there when the call returns.
class TcpProxy {
 public:
  explicit TcpProxy(const std::filesystem::path& target_socket);
  explicit TcpProxy(const Server& server) : TcpProxy(server.socket_path()) {}
  ~TcpProxy();
  TcpProxy(const TcpProxy&) = delete;
  TcpProxy& operator=(const TcpProxy&) = delete;

  std::string dsn(const std::string& database = "postgres", const std::string& user = "postgres") const;
  int port() const noexcept;

  /// New connections are refused by the kernel, or taken again. Open ones go on.
  void refuse(bool on);

  /// No byte passes, nothing is lost; or everything passes again.
  void stall(bool on);

  /// Ends every connection, orphans included.
  void cut_all();

  /// Springs once, on the first connection whose client sends this text (also across packets).
  void set_trap(const std::string& text, Trap trap);

  /// How many traps have sprung.
  int sprung() const noexcept;

  int open_links() const;
  std::uint64_t bytes_to_server() const noexcept;
  std::uint64_t bytes_to_client() const noexcept;

 private:
  class Network;
  std::unique_ptr<Network> network_;
};

}  // namespace pgsluice::test
