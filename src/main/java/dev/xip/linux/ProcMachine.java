package dev.xip.linux;

import dev.xip.base.FileName;
import dev.xip.base.Pages;
import dev.xip.phys.FrameAllocator;
import dev.xip.phys.FrameUse;
import dev.xip.phys.PhysicalMemory;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
import java.util.stream.Collectors;

/** The files of /proc about the whole machine. */
final class ProcMachine {
  private static final long SECOND = 1_000_000_000;
  private static final long TICK = SECOND / 100;
  private static final int SYS = 1000;

  private final Kernel kernel;
  private final String boot = UUID.randomUUID().toString();

  ProcMachine(Kernel kernel) {
    this.kernel = kernel;
  }

  void fill(ProcFolder.Entries entries) {
    entries.text("meminfo", () -> ProcFolder.bytes(memory()));
    entries.text("cpuinfo", ProcMachine::processors);
    entries.text("stat", () -> ProcFolder.bytes(times()));
    entries.text("uptime", () -> ProcFolder.bytes(uptime()));
    entries.text("loadavg", () -> ProcFolder.bytes(load()));
    entries.line(
        "version",
        "Linux version %s (xip) %s".formatted(IdentityCalls.RELEASE, IdentityCalls.VERSION));
    entries.text("filesystems", () -> ProcFolder.bytes("nodev\tproc\nnodev\ttmpfs\nnodev\tbind\n"));
    entries.link("mounts", 100, 0777, () -> FileName.of("self/mounts"), null);
    entries.text("swaps", () -> ProcFolder.bytes("Filename\tType\tSize\tUsed\tPriority\n"));
    entries.line("cmdline", "xip");
    entries.folder("sys", SYS, this::fillSystem);
  }

  private void fillSystem(ProcFolder.Entries entries) {
    entries.folder(
        "kernel",
        0,
        names -> {
          names.line("ostype", "Linux");
          names.line("osrelease", IdentityCalls.RELEASE);
          names.line("version", IdentityCalls.VERSION);
          names.line("hostname", IdentityCalls.HOST);
          names.line("domainname", "(none)");
          names.line("pid_max", Kernel.LAST + 1);
          names.line("threads-max", Kernel.MOST_TASKS);
          names.line("ngroups_max", CredentialCalls.MOST_GROUPS);
          names.line("cap_last_cap", Credentials.LAST_CAPABILITY);
          names.line("randomize_va_space", 0);
          names.folder("random", 100, this::fillRandom);
        });
    entries.folder(
        "fs",
        1,
        names -> {
          names.line("file-max", Kernel.MOST_TASKS * Descriptors.LIMIT);
          names.line("nr_open", Descriptors.LIMIT);
          names.line("pipe-max-size", Pipe.CAPACITY);
        });
    entries.folder(
        "vm",
        2,
        names -> {
          names.line("overcommit_memory", 1);
          names.line("max_map_count", 65_530);
          names.line("mmap_min_addr", 65_536);
        });
  }

  private void fillRandom(ProcFolder.Entries entries) {
    entries.text("uuid", () -> ProcFolder.bytes(UUID.randomUUID() + "\n"));
    entries.line("boot_id", boot);
    entries.line("entropy_avail", 256);
    entries.line("poolsize", 256);
  }

  private String memory() {
    PhysicalMemory memory = kernel.manager().memory();
    FrameAllocator frames = memory.allocator();
    StringBuilder text = new StringBuilder();
    long cached = frames.inUse(FrameUse.PAGE_CACHE) + frames.inUse(FrameUse.SPARSE);
    line(text, "MemTotal", memory.ram().byteSize());
    line(text, "MemFree", frames.available() << Pages.SHIFT);
    line(text, "MemAvailable", frames.available() << Pages.SHIFT);
    line(text, "Buffers", 0);
    line(text, "Cached", cached << Pages.SHIFT);
    line(text, "SwapCached", 0);
    line(text, "SwapTotal", 0);
    line(text, "SwapFree", 0);
    line(text, "AnonPages", frames.inUse(FrameUse.ANONYMOUS) << Pages.SHIFT);
    line(text, "Shmem", cached << Pages.SHIFT);
    line(text, "PageTables", frames.inUse(FrameUse.TABLE) << Pages.SHIFT);
    line(text, "MemMap", memory.frames().bytes());
    return text.toString();
  }

  private static void line(StringBuilder text, String name, long bytes) {
    text.append("%-16s%8d kB\n".formatted(name + ":", bytes >> 10));
  }

  /** The processors of the host without what the guest's have not: AVX-512, AMX, keys. */
  private static byte[] processors() throws IOException {
    String host = Files.readString(Path.of("/proc/cpuinfo"), StandardCharsets.ISO_8859_1);
    List<String> shown =
        Arrays.stream(host.split("\n\n"))
            .limit(Long.bitCount(Attributes.PROCESSORS))
            .map(ProcMachine::processor)
            .toList();
    return ProcFolder.bytes(String.join("\n", shown) + "\n");
  }

  private static String processor(String lines) {
    return lines
        .lines()
        .map(
            line ->
                line.startsWith("flags")
                    ? Arrays.stream(line.split(" "))
                        .filter(flag -> !flag.matches("avx512.*|amx.*|pku|ospke"))
                        .collect(Collectors.joining(" "))
                    : line)
        .collect(Collectors.joining("\n", "", "\n"));
  }

  private List<Task> tasks() {
    synchronized (kernel) {
      return kernel.tasks();
    }
  }

  private String times() {
    ProcessorTimes.Usage all = ProcessorTimes.Usage.NONE;
    for (Task each : tasks()) {
      all = all.plus(each.times().usage()).plus(each.times().childrenSeen());
    }
    int processors = Long.bitCount(Attributes.PROCESSORS);
    long idle = Math.max(System.nanoTime() * processors - all.user() - all.system(), 0);
    StringBuilder text = new StringBuilder();
    text.append(
        "cpu  %d 0 %d %d 0 0 0 0 0 0\n"
            .formatted(all.user() / TICK, all.system() / TICK, idle / TICK));
    for (int i = 0; i < processors; i++) {
      text.append(
          "cpu%d %d 0 %d %d 0 0 0 0 0 0\n"
              .formatted(
                  i,
                  all.user() / TICK / processors,
                  all.system() / TICK / processors,
                  idle / TICK / processors));
    }
    long begin = System.currentTimeMillis() / 1000 - System.nanoTime() / SECOND;
    return text.append(
            "intr 0\nctxt 0\nbtime %d\nprocesses %d\nprocs_running 1\nprocs_blocked 0\nsoftirq 0\n"
                .formatted(begin, kernel.started()))
        .toString();
  }

  private static String uptime() {
    long now = System.nanoTime() / TICK;
    return "%d.%02d %d.%02d\n".formatted(now / 100, now % 100, now / 100, now % 100);
  }

  private String load() {
    List<Task> tasks = tasks();
    int last = tasks.isEmpty() ? 0 : tasks.getLast().pid();
    return "0.00 0.00 0.00 1/%d %d\n".formatted(tasks.size(), last);
  }
}
