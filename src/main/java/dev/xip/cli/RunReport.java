package dev.xip.cli;

import dev.xip.linux.ProgramResult;
import dev.xip.linux.RunAccount;
import dev.xip.machine.Machine;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/**
 * What {@code xip run} tells about a run beside the program's own output: trace, mappings and
 * account, on standard error or in a file. For any thread. Lines that cannot be written are lost.
 */
final class RunReport {
  private final Output out;
  private final boolean toErrors;

  private RunReport(Output out, boolean toErrors) {
    this.out = out;
    this.toErrors = toErrors;
  }

  /** Opens a file; null for standard error. */
  static RunReport into(Path file) throws IOException {
    return file == null
        ? new RunReport(Output.ofErrors(), true)
        : new RunReport(Output.into(file), false);
  }

  /** A line of a trace. */
  synchronized void line(String text) {
    if (toErrors) {
      Errors.line(text);
    } else {
      text(Printable.onOneLine(text) + "\n");
    }
  }

  /** Lines that end with a newline. */
  synchronized void text(String text) {
    try {
      out.text(text);
      out.flush();
    } catch (IOException e) {
      // The program goes on, as it does when its standard error has no reader.
    }
  }

  /** The times of a run, in seconds. */
  record Times(double start, double run, double user) {}

  /** Prints a table. */
  synchronized void table(String program, ProgramResult result, Machine machine, Times times)
      throws IOException {
    RunAccount account = result.account();
    RunAccount.Entries entries = account.entries();
    out.line("%s: status %d".formatted(program, result.status()));
    row("processes", result.processes());
    RunAccount.Exits exits = account.exits();
    row("exits: system calls", exits.systemCalls());
    row("exits: page faults", exits.pageFaults());
    row("exits: exceptions", exits.exceptions());
    row("exits: stray accesses", exits.strayAccesses());
    row("exits: signals", exits.interrupts());
    RunAccount.Faults faults = account.faults();
    row("faults: entries made", faults.mapped());
    row("faults: entry there already", faults.present());
    row("faults: made writable", faults.reused());
    row("faults: page copied", faults.copied());
    row("faults: refused, a signal", faults.refused());
    row("pages of the image, special entries", entries.special());
    row("  of them text", entries.specialText());
    row("pages of the image, page cache", entries.cached());
    row("frames for text", entries.textFrames());
    row("pages copied on write", account.copies());
    RunAccount.Frames most = account.most();
    row("frames at most", most.all());
    row("  memory and private copies", most.anonymous());
    row("  page cache and files in RAM", most.cached());
    row("  page tables", most.tables());
    row("frames at the end", account.left().all());
    row("bytes of the mem_map", machine.memory().frames().bytes());
    row("questions about page frames", machine.questions());
    row("flushes paid", account.flushes());
    row("stores into shadowed tables paid", account.tableStores());
    seconds("seconds to start", times.start());
    seconds("seconds to run", times.run());
    seconds("  in user mode, all processes", times.user());
    for (Map.Entry<Integer, Integer> each : result.missing().entrySet()) {
      row("missing system call " + each.getKey(), each.getValue());
    }
    for (String each : account.wrong()) {
      out.line("WRONG: " + each);
    }
    out.flush();
  }

  private void row(String what, long value) throws IOException {
    out.line("  %-36s%,16d".formatted(what, value));
  }

  private void seconds(String what, double value) throws IOException {
    out.line("  %-36s%,16.3f".formatted(what, value));
  }

  /** Prints one JSON object. */
  synchronized void json(String program, ProgramResult result, Machine machine, Times times)
      throws IOException {
    RunAccount account = result.account();
    JsonWriter json = new JsonWriter(out).beginObject();
    json.member("program", program)
        .member("status", result.status())
        .member("processes", result.processes());
    RunAccount.Exits exits = account.exits();
    json.name("exits")
        .beginObject()
        .member("systemCalls", exits.systemCalls())
        .member("pageFaults", exits.pageFaults())
        .member("exceptions", exits.exceptions())
        .member("strayAccesses", exits.strayAccesses())
        .member("signals", exits.interrupts())
        .endObject();
    RunAccount.Faults faults = account.faults();
    json.name("faults")
        .beginObject()
        .member("mapped", faults.mapped())
        .member("present", faults.present())
        .member("reused", faults.reused())
        .member("copied", faults.copied())
        .member("refused", faults.refused())
        .endObject();
    RunAccount.Entries entries = account.entries();
    json.member("specialPages", entries.special())
        .member("specialTextPages", entries.specialText())
        .member("pageCachePages", entries.cached())
        .member("textFrames", entries.textFrames())
        .member("copies", account.copies());
    frames(json.name("framesAtMost"), account.most());
    frames(json.name("framesAtEnd"), account.left());
    json.member("memMapBytes", machine.memory().frames().bytes())
        .member("questions", machine.questions())
        .member("flushes", account.flushes())
        .member("tableStores", account.tableStores())
        .name("seconds")
        .beginObject()
        .member("start", times.start())
        .member("run", times.run())
        .member("user", times.user())
        .endObject();
    json.name("missing").beginObject();
    for (Map.Entry<Integer, Integer> each : result.missing().entrySet()) {
      json.member(each.getKey().toString(), each.getValue());
    }
    json.endObject().name("killedForMemory").beginArray();
    for (String each : result.killedForMemory()) {
      json.value(each);
    }
    json.endArray().name("wrong").beginArray();
    for (String each : account.wrong()) {
      json.value(each);
    }
    json.endArray().endObject().finish();
    out.flush();
  }

  private static void frames(JsonWriter json, RunAccount.Frames frames) throws IOException {
    json.beginObject()
        .member("anonymous", frames.anonymous())
        .member("pageCache", frames.cached())
        .member("tables", frames.tables())
        .member("all", frames.all())
        .endObject();
  }
}
