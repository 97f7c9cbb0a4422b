package dev.xip.measure;

import static dev.xip.measure.Figure.params;

import dev.xip.base.Access;
import dev.xip.base.AddrRange;
import dev.xip.base.Pages;
import dev.xip.cpu.Exit;
import dev.xip.cpu.VirtualProcessor;
import dev.xip.file.InPlaceFile;
import dev.xip.host.GuestPages;
import dev.xip.host.HostPaths;
import dev.xip.host.Register;
import dev.xip.host.ScratchFolder;
import dev.xip.image.PathResolver;
import dev.xip.linux.Program;
import dev.xip.linux.ProgramResult;
import dev.xip.machine.MachineConfig;
import dev.xip.scenario.HostTree;
import dev.xip.scenario.ImageRegion;
import dev.xip.vm.AddressSpace;
import dev.xip.vm.Advice;
import dev.xip.vm.FaultResult;
import dev.xip.vm.MapRequest;
import dev.xip.vm.MemoryManager;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;

/**
 * Programs of this host out of an image, on a virtual processor, beside the same programs run by
 * the host's kernel; and what each exit costs, beside what the hypervisor takes for one.
 */
final class GuestFigures {
  /** Two seconds, one run at least, warm the caches and the code of the JVM; then five count. */
  private static final Race.Rounds WHOLE = new Race.Rounds(2_000_000_000, 0, 5, 5, 0);

  /** Below 2 MiB, so no huge leaf maps it. */
  private static final int SMALL_PAGES = 256;

  private static final int AROUND = 16;
  private static final int BIG_BYTES = 16 << 20;
  private static final int CALLS = 20_000;
  private static final String NANOS = "ns";
  private static final String MILLIS = "ms";
  private static final String GETPID =
      "import os,time\nt=time.perf_counter_ns()\nfor i in range(%d): os.getpid()\n"
          + "t=time.perf_counter_ns()-t\n";
  private static final String LOOP =
      "i=0; while [ $i -lt 500000 ]; do i=$((i+1)); done; [ $i = 500000 ]";
  private static final String FIB =
      "def fib(n): return n if n<2 else fib(n-1)+fib(n-2)\nassert fib(36)==14930352";
  private static final String SHA =
      "import hashlib,mmap\n"
          + "f=open('%s/big','rb')\n"
          + "m=mmap.mmap(f.fileno(),0,access=mmap.ACCESS_READ)\n"
          + "h=hashlib.sha256()\nfor i in range(%d): h.update(m)";
  private static final String SOURCE =
      """
      #include <stdio.h>
      #include <stdlib.h>
      #include <string.h>

      struct node { struct node *left, *right; char key[24]; int count; };

      static struct node *insert(struct node *at, const char *key) {
        if (!at) {
          at = calloc(1, sizeof *at);
          strncpy(at->key, key, sizeof at->key - 1);
        }
        int order = strcmp(key, at->key);
        if (order < 0) {
          at->left = insert(at->left, key);
        } else if (order > 0) {
          at->right = insert(at->right, key);
        } else {
          at->count++;
        }
        return at;
      }

      static void print(const struct node *at) {
        if (at) {
          print(at->left);
          printf("%s %d\\n", at->key, at->count);
          print(at->right);
        }
      }

      int main(void) {
        struct node *root = NULL;
        char key[24];
        for (int i = 0; i < 1000; i++) {
          snprintf(key, sizeof key, "%d", i * i % 97);
          root = insert(root, key);
        }
        print(root);
        return 0;
      }
      """;

  private final List<Figure> figures = new ArrayList<>();
  private final HostTree tree;
  private final Path work;
  private final String shell = HostTree.find("dash") == null ? "/bin/sh" : HostTree.find("dash");
  private final String python = HostTree.find("python3");
  private final String gcc = HostTree.find("gcc");
  private GuestRun guest;

  /** The hypervisor's own round trip, in ns. */
  private double bare;

  private GuestFigures(Path work) throws IOException {
    this.work = work;
    this.tree = new HostTree(Files.createDirectory(work.resolve("tree")));
  }

  static List<Figure> measure(Path folder) throws IOException {
    try (ScratchFolder scratch = ScratchFolder.in(folder, "xip-guest")) {
      GuestFigures guest = new GuestFigures(scratch.path());
      guest.measure();
      return guest.figures;
    }
  }

  private void measure() throws IOException {
    Path image = pack();
    try (GuestRun booted = GuestRun.boot(MachineConfig.DEFAULT, image, 0)) {
      exits(booted);
    }
    MachineConfig config = MachineConfig.DEFAULT.withRules(Program.RULES);
    try (GuestRun booted = GuestRun.boot(config, image, 0)) {
      guest = booted;
      programs();
    }
    start(image);
  }

  private Path pack() throws IOException {
    tree.add(shell);
    tree.add(HostTree.find("true"));
    byte[] bytes = new byte[BIG_BYTES];
    new Random(17).nextBytes(bytes);
    Files.write(tree.root().resolve("big"), bytes);
    Files.write(tree.root().resolve("small"), new byte[SMALL_PAGES * (int) Pages.SIZE]);
    if (python != null) {
      tree.addPython(python, GETPID.formatted(1));
      tree.addPython(python, SHA.formatted(HostPaths.text(tree.root()), 1));
    }
    if (gcc != null) {
      Path source = Files.writeString(tree.root().resolve("words.c"), SOURCE);
      tree.addCompiler(gcc, "-O2", HostPaths.text(source));
    }
    return GuestRun.pack(tree, work);
  }

  /** A system call and a fault, each beside the bare round trip. */
  private void exits(GuestRun machine) throws IOException {
    String path = "/small";
    ImageRegion region = machine.region();
    MemoryManager manager = machine.machine().memoryManager();
    InPlaceFile small = region.open(path, PathResolver.resolve(region.image(), path, true));
    try (VirtualProcessor processor = machine.processors().take();
        AddressSpace space = manager.newAddressSpace("guest");
        AddressSpace other = manager.newAddressSpace("alone")) {
      AddrRange range = space.map(MapRequest.privately(small, Access.READ));
      AddrRange alone = other.map(MapRequest.privately(small, Access.READ));
      int faults = SMALL_PAGES / AROUND;
      processor.use(space);
      Race race = new Race(Race.Rounds.DEFAULT.withWarmUp(1_000_000_000), Race.WALL_CLOCK);
      Contender call = race.add("bare round trip", 1, () -> call(processor));
      Contender fault =
          race.add(
              "fault that maps 16 pages",
              faults,
              () -> space.advise(range, Advice.DONTNEED),
              () -> faults(processor, range.start()));
      Contender ours =
          race.add(
              "the fault alone",
              faults,
              () -> other.advise(alone, Advice.DONTNEED),
              () -> faults(other, alone.start()));
      race.run();
      processor.leave();
      bare = call.median();
      figures.add(Figure.of(call, params(), NANOS, Goal.NONE));
      figures.add(
          new Figure(
              fault.name(),
              params(),
              NANOS,
              fault.median(),
              "bare round trip + fault",
              bare + ours.median(),
              Goal.times(1.2)));
    }
  }

  private static long call(VirtualProcessor processor) throws IOException {
    processor.set(Register.RIP, GuestPages.BASE + GuestPages.USER_CALL);
    if (!(processor.run() instanceof Exit.SystemCall)) {
      throw new IOException("user mode: expected a system call, found another exit");
    }
    return 0;
  }

  private static long faults(VirtualProcessor processor, long start) throws IOException {
    for (int page = 0; page < SMALL_PAGES; page += AROUND) {
      processor.set(Register.RIP, GuestPages.BASE + GuestPages.USER_LOAD);
      processor.set(Register.RDI, start + page * Pages.SIZE);
      if (!(processor.run() instanceof Exit.PageFault fault)
          || processor.space().fault(fault.address(), fault.access())
              instanceof FaultResult.Refused) {
        throw new IOException("user mode: expected a fault at page %d".formatted(page));
      }
    }
    return 0;
  }

  private static long faults(AddressSpace space, long start) {
    for (int page = 0; page < SMALL_PAGES; page += AROUND) {
      space.fault(start + page * Pages.SIZE, Access.READ);
    }
    return 0;
  }

  /** Whole programs, beside the same ones on the host. */
  private void programs() throws IOException {
    if (python != null) {
      String script = GETPID.formatted(CALLS) + "print(t)";
      Race race = new Race(WHOLE, Race.WALL_CLOCK);
      Contender ours = race.addTimed("getpid", CALLS, runs -> printed(runs, python, "-c", script));
      race.run();
      figures.add(
          new Figure(
              ours.name(),
              params(),
              NANOS,
              ours.median(),
              "bare round trip",
              bare,
              Goal.times(1.1)));
      beside("fib(36) in python", python, "-c", FIB);
    }
    beside("500,000 turns of a shell's loop", shell, "-c", LOOP);
    if (python != null) {
      beside("sha256 of 16 MiB, mapped, 128 times", python, "-c", SHA.formatted("%s", 128));
    }
    if (gcc != null) {
      compile();
    }
  }

  /** Work in user mode. %s in a word is the root: nothing here, the tree's folder on the host. */
  private void beside(String name, String... words) throws IOException {
    Race race = new Race(WHOLE, Race.WALL_CLOCK);
    Contender ours = race.add(name, 1e6, () -> run(words).status());
    Contender host = race.add("the host", 1e6, () -> host(words));
    race.run();
    ProgramResult once = run(words);
    figures.add(Figure.of(ours, params("exits", exits(once)), MILLIS, host, Goal.times(1.1)));
  }

  private void compile() throws IOException {
    String[] words = {gcc, "-O2", "-c", "%s/words.c", "-o", "%s/words.o"};
    Race race = new Race(WHOLE, Race.WALL_CLOCK);
    Contender ours = race.add("gcc -O2 -c of one file", 1e6, () -> run(words).status());
    Contender host = race.add("the host", 1e6, () -> host(words));
    race.run();
    ProgramResult once = run(words);
    double allowed = host.median() + 1.2 * (once.systemCalls() + once.faults()) * bare / 1e6;
    figures.add(
        new Figure(
            ours.name(),
            params("exits", exits(once), "faults", "%,d".formatted(once.faults())),
            MILLIS,
            ours.median(),
            "the host (%.0f) + 1.2 x exits".formatted(host.median()),
            allowed,
            Goal.times(1)));
  }

  private static String exits(ProgramResult result) {
    return "%,d".formatted(result.systemCalls() + result.faults());
  }

  /** The whole command. */
  private void start(Path image) throws IOException {
    String[] words = {
      HostPaths.text(ProcessFigures.launcher()), "run", HostPaths.text(image), HostTree.find("true")
    };
    Race race = new Race(WHOLE, Race.WALL_CLOCK);
    Contender ours = race.add("xip run IMAGE /bin/true", 1e6, () -> host(words));
    race.run();
    figures.add(Figure.of(ours, params(), MILLIS, Goal.atMost(500)));
  }

  private ProgramResult run(String... words) throws IOException {
    return guest.run(Stream.of(words).map(word -> word.replace("%s", "")).toList());
  }

  /** The nanoseconds that a program has printed. */
  private long printed(int runs, String... words) throws IOException {
    long nanos = 0;
    for (int i = 0; i < runs; i++) {
      run(words);
      nanos += Long.parseLong(guest.output().strip());
    }
    return nanos;
  }

  private long host(String... words) throws IOException {
    String root = HostPaths.text(tree.root());
    return ProcessFigures.run(Stream.of(words).map(word -> word.replace("%s", root)).toList());
  }
}
