#include "support/tcp_proxy.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/write.hpp>
#include <functional>
#include <future>
#include <list>
#include <optional>
#include <thread>

namespace pgsluice::test {

namespace asio = boost::asio;
using boost::system::error_code;
using Tcp = asio::ip::tcp;
using Unix = asio::local::stream_protocol;

namespace {

struct SetTrap {
  std::string text;
  Trap trap;
};

/// What all links share. Confined to the io thread, but for the counters.
struct Weather {
  bool stalled = false;
  std::optional<SetTrap> trap;
  std::atomic<int> sprung{0};
  std::atomic<std::uint64_t> to_server{0};
  std::atomic<std::uint64_t> to_client{0};
};

/// One client with its connection to the server. Confined to the io thread.
class Link : public std::enable_shared_from_this<Link> {
 public:
  Link(Tcp::socket client, Unix::socket server, Weather& weather)
      : client_(std::move(client)), server_(std::move(server)), weather_(weather) {}

  void begin() {
    read_client();
    read_server();
  }

  /// After a stall.
  void resume() {
    if (const auto send = std::exchange(held_from_client_, nullptr)) send();
    if (const auto send = std::exchange(held_from_server_, nullptr)) send();
  }

  void cut() {
    cut_client();
    error_code ignored;  // a socket that is closed already
    server_.close(ignored);
  }

  bool open() const { return client_.is_open() || server_.is_open(); }

 private:
  void cut_client() {
    error_code ignored;
    client_.set_option(asio::socket_base::linger(true, 0), ignored);  // a reset, as from a broken network
    client_.close(ignored);
  }

  void read_client() {
    client_.async_read_some(
        asio::buffer(from_client_),
        [self = shared_from_this()](error_code error, std::size_t n) { self->client_sent(error, n); });
  }

  void read_server() {
    server_.async_read_some(
        asio::buffer(from_server_),
        [self = shared_from_this()](error_code error, std::size_t n) { self->server_sent(error, n); });
  }

  void client_sent(error_code error, std::size_t count) {
    if (error) {
      if (!orphan_) cut();
      return;
    }
    const auto send = [self = shared_from_this(), count] { self->forward_to_server(count); };
    if (weather_.stalled) {
      held_from_client_ = send;
    } else {
      send();
    }
  }

  void server_sent(error_code error, std::size_t count) {
    if (error || lose_answer_) return cut();
    if (orphan_) return read_server();  // thrown away, so that the server's side never waits for a reader
    const auto send = [self = shared_from_this(), count] { self->forward_to_client(count); };
    if (weather_.stalled) {
      held_from_server_ = send;
    } else {
      send();
    }
  }

  void forward_to_server(std::size_t count) {
    const auto sprung = spring({from_client_.data(), count});
    if (sprung == Trap::kLoseRequest) return cut();
    lose_answer_ = lose_answer_ || sprung == Trap::kLoseAnswer;
    orphan_ = orphan_ || sprung == Trap::kOrphan;
    asio::async_write(server_, asio::buffer(from_client_, count),
                      [self = shared_from_this()](error_code error, std::size_t n) {
                        self->weather_.to_server += n;
                        if (error) return self->cut();
                        if (self->orphan_) return self->cut_client();
                        self->read_client();
                      });
  }

  void forward_to_client(std::size_t count) {
    asio::async_write(client_, asio::buffer(from_server_, count),
                      [self = shared_from_this()](error_code error, std::size_t n) {
                        self->weather_.to_client += n;
                        if (error && !self->orphan_) return self->cut();
                        self->read_server();
                      });
  }

  /// The trap's effect when these bytes complete its text.
  std::optional<Trap> spring(std::string_view bytes) {
    seen_.append(bytes);
    if (!weather_.trap || seen_.find(weather_.trap->text) == std::string::npos) {
      const std::size_t keep = weather_.trap ? weather_.trap->text.size() - 1 : 0;
      seen_.erase(0, seen_.size() - std::min(seen_.size(), keep));
      return std::nullopt;
    }
    const Trap trap = weather_.trap->trap;
    weather_.trap.reset();
    ++weather_.sprung;
    return trap;
  }

  Tcp::socket client_;
  Unix::socket server_;
  Weather& weather_;
  std::array<char, 16384> from_client_;
  std::array<char, 16384> from_server_;
  std::string seen_;
  std::function<void()> held_from_client_;
  std::function<void()> held_from_server_;
  bool lose_answer_ = false;
  bool orphan_ = false;
};

}  // namespace

class TcpProxy::Network {
 public:
  explicit Network(const std::filesystem::path& target) : target_(target.string()) {
    listen(0);
    port_ = acceptor_.local_endpoint().port();
    thread_ = std::thread([this] { io_.run(); });
  }

  ~Network() {
    on_io([this] { end_all(); });
    work_.reset();
    io_.stop();
    thread_.join();
  }

  /// Runs it on the io thread and waits for its end.
  void on_io(std::function<void()> action) {
    std::packaged_task<void()> task(std::move(action));
    auto done = task.get_future();
    asio::post(io_, std::move(task));
    done.get();
  }

  void refuse(bool on) {
    if (on) {
      acceptor_.close();
    } else if (!acceptor_.is_open()) {
      listen(port_);
    }
  }

  void stall(bool on) {
    weather_.stalled = on;
    if (on) return;
    for (const auto& link : links_) link->resume();
  }

  void cut_all() {
    for (const auto& link : links_) link->cut();
    links_.clear();
  }

  int open_links() {
    std::erase_if(links_, [](const auto& link) { return !link->open(); });
    return static_cast<int>(links_.size());
  }

  int port() const noexcept { return port_; }
  Weather& weather() noexcept { return weather_; }
  const Weather& weather() const noexcept { return weather_; }

 private:
  void listen(int port) {
    const Tcp::endpoint endpoint(asio::ip::address_v4::loopback(), static_cast<asio::ip::port_type>(port));
    acceptor_.open(endpoint.protocol());
    acceptor_.set_option(asio::socket_base::reuse_address(true));
    acceptor_.bind(endpoint);
    acceptor_.listen();
    accept();
  }

  void accept() {
    acceptor_.async_accept([this](error_code error, Tcp::socket client) {
      if (error == asio::error::operation_aborted || !acceptor_.is_open()) return;
      if (!error) connect(std::move(client));
      accept();
    });
  }

  /// A unix socket answers at once, so this may block. A server that is down resets the client.
  void connect(Tcp::socket client) {
    Unix::socket server(io_);
    error_code error;
    server.connect(Unix::endpoint(target_), error);
    auto link = std::make_shared<Link>(std::move(client), std::move(server), weather_);
    if (error) return link->cut();
    open_links();
    links_.push_back(link);
    link->begin();
  }

  void end_all() {
    acceptor_.close();
    cut_all();
  }

  std::string target_;
  int port_ = 0;
  Weather weather_;
  asio::io_context io_{1};
  asio::executor_work_guard<asio::io_context::executor_type> work_{io_.get_executor()};
  Tcp::acceptor acceptor_{io_};
  std::list<std::shared_ptr<Link>> links_;
  std::thread thread_;
};

TcpProxy::TcpProxy(const std::filesystem::path& target_socket)
    : network_(std::make_unique<Network>(target_socket)) {}

TcpProxy::~TcpProxy() = default;

std::string TcpProxy::dsn(const std::string& database, const std::string& user) const {
  return "host=127.0.0.1 port=" + std::to_string(port()) + " dbname=" + database + " user=" + user +
         " sslmode=disable gssencmode=disable";
}

int TcpProxy::port() const noexcept {
  return network_->port();
}

void TcpProxy::refuse(bool on) {
  network_->on_io([this, on] { network_->refuse(on); });
}

void TcpProxy::stall(bool on) {
  network_->on_io([this, on] { network_->stall(on); });
}

void TcpProxy::cut_all() {
  network_->on_io([this] { network_->cut_all(); });
}

void TcpProxy::set_trap(const std::string& text, Trap trap) {
  network_->on_io([this, &text, trap] { network_->weather().trap = SetTrap{text, trap}; });
}

int TcpProxy::sprung() const noexcept {
  return network_->weather().sprung;
}

int TcpProxy::open_links() const {
  int count = 0;
  network_->on_io([this, &count] { count = network_->open_links(); });
  return count;
}

std::uint64_t TcpProxy::bytes_to_server() const noexcept {
  return network_->weather().to_server;
}

std::uint64_t TcpProxy::bytes_to_client() const noexcept {
  return network_->weather().to_client;
}

}  // namespace pgsluice::test
