// Asks the console to do something; the answer is an empty text, or why it was not done.
export async function ask(path, body) {
  try {
    const answer = await fetch(path, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    return answer.ok ? "" : (await answer.text()) || String(answer.status);
  } catch (error) {
    return error.message;
  }
}
