"""Gradients at a fixed point: implicit, unrolled, closed form and finite differences agree."""

import copy
from dataclasses import replace
from functools import partial

import pytest
import torch

from ddeq.input.gallery import load_gallery
from ddeq.input.prepare import prepare
from ddeq.input.preprocess import collate
from ddeq.model.checkpoints import load
from ddeq.run.flows import flow_of
from ddeq.run.settings import with_defaults
from ddeq.solve.flow import Flow, StopRule
from ddeq.solve.gradients import AT_EQUILIBRIUM, implicit, phantom, phantom_k, reversible
from ddeq.solve.gradients.measures import graph_bytes
from ddeq.solve.kernels import Gaussian, Riesz
from ddeq.solve.solvers import Euler, EulerDecay, Picard

N, D = 3, 4
close = partial(torch.testing.assert_close, rtol=1e-4, atol=1e-6)


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    g = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=g, dtype=torch.float64)


class Contraction(torch.nn.Module):
    """``F(z, x) = 0.6 tanh(z W + mean(z) V + x U)``, a contraction for these weights."""

    def __init__(self):
        super().__init__()
        self.W, self.V = (
            torch.nn.Parameter(0.5 * w / torch.linalg.matrix_norm(w, 2))
            for w in (normal(D, D), normal(D, D, seed=1))
        )
        self.U = torch.nn.Parameter(normal(2, D, seed=2))

    def forward(self, z, x):
        return 0.6 * torch.tanh(z @ self.W + z.mean(1, keepdim=True) @ self.V + x @ self.U)


@pytest.fixture
def problem():
    """An operator, its input and a loss on its equilibrium."""
    weight = normal(2, N, D, seed=5)
    return Contraction(), normal(2, 1, 2, seed=3), lambda z: (weight * z.sin()).sum()


def fixed_point(operator, x):
    z = torch.zeros(2, N, D, dtype=torch.float64)
    with torch.no_grad():
        for _ in range(100):
            z = operator(z, x)
    return z


def gradients(loss, operator, x):
    return torch.autograd.grad(loss, [*operator.parameters(), x])


@pytest.fixture
def by_implicit(problem):
    operator, x, loss = problem
    x = x.clone().requires_grad_()
    z = implicit(lambda z: operator(z, x), fixed_point(operator, x), tolerance=1e-12)
    return gradients(loss(z), operator, x)


def test_implicit_agrees_with_unrolling_plain_iterations(problem, by_implicit):
    operator, x, loss = problem
    x = x.clone().requires_grad_()
    z = normal(2, N, D, seed=7)
    for _ in range(60):
        z = operator(z, x)
    for a, b in zip(by_implicit, gradients(loss(z), operator, x), strict=True):
        close(a, b)
        assert a.abs().max() > 1e-3


def test_implicit_agrees_with_a_differentiable_picard_flow(problem, by_implicit):
    operator, x, loss = problem
    x = x.clone().requires_grad_()
    flow = Flow(
        lambda z: operator(z, x),
        normal(2, N, D, seed=7),
        solver=Picard(),
        stop=StopRule(60, 0.0),
        differentiable=True,
        velocity=False,
    )
    for a, b in zip(by_implicit, gradients(loss(flow.run().particles), operator, x), strict=True):
        close(a, b)


def test_implicit_agrees_with_an_unrolled_gradient_flow(problem):
    """One particle a cloud, so that an equilibrium of measures is one of vectors."""
    operator, x, _ = problem
    x = x.clone().requires_grad_()
    weight = normal(2, 1, D, seed=5)
    stop = StopRule(200, 0.0)
    flow = Flow(
        lambda z: operator(z, x),
        normal(2, 1, D, seed=7),
        solver=Euler(1.0),
        kernel=Gaussian(1.0),
        stop=stop,
        differentiable=True,
    )
    z = flow.run().particles
    unrolled = gradients((weight * z).sum(), operator, x)
    close(operator(z, x), z)
    z_star = implicit(lambda z: operator(z, x), z, tolerance=1e-12)
    for a, b in zip(gradients((weight * z_star).sum(), operator, x), unrolled, strict=True):
        close(a, b)


@pytest.mark.parametrize("kernel", [Riesz(), Riesz(1.0, 0.3), Gaussian(1.0)])
def test_unrolling_a_few_steps_is_the_derivative_of_those_steps(problem, kernel):
    """By finite differences in the input, far from any equilibrium."""
    operator, x, loss = problem

    def solved(x, differentiable):
        return Flow(
            lambda z: operator(z, x),
            normal(2, N, D, seed=7),
            solver=EulerDecay(0.5, 3.0),
            kernel=kernel,
            stop=StopRule(4, 0.0),
            differentiable=differentiable,
        ).run()

    along, h = normal(2, 1, 2, seed=8), 1e-6
    expected = (
        loss(solved(x + h * along, False).particles) - loss(solved(x - h * along, False).particles)
    ) / (2 * h)
    x = x.clone().requires_grad_()
    solution = solved(x, True)
    torch.testing.assert_close(solution.particles.detach(), solved(x.detach(), False).particles)
    (found,) = torch.autograd.grad(loss(solution.particles), x)
    torch.testing.assert_close((found * along).sum(), expected.detach(), rtol=1e-5, atol=1e-8)


def test_implicit_agrees_with_finite_differences_of_the_equilibrium(problem, by_implicit):
    operator, x, loss = problem
    along, h = normal(2, 1, 2, seed=8), 1e-5
    up, down = (loss(fixed_point(operator, x + s * h * along)) for s in (1, -1))
    close((by_implicit[-1] * along).sum(), ((up - down) / (2 * h)).detach())


def test_closed_form_for_a_linear_operator():
    """``z* = b (I - A)^-1``, so ``dL/db = (I - A^T)^-1 g`` row by row; phantom keeps only ``g``."""
    A = normal(D, D)
    A = 0.6 * A / torch.linalg.matrix_norm(A, 2)
    b, g = normal(1, N, D, seed=1).requires_grad_(), normal(1, N, D, seed=2)
    inverse = torch.linalg.inv(torch.eye(D) - A)
    z_star = (b @ inverse).detach()
    (exact,) = torch.autograd.grad((g * implicit(lambda z: z @ A + b, z_star, 1e-12)).sum(), b)
    torch.testing.assert_close(exact, g @ inverse.T)
    (first,) = torch.autograd.grad((g * phantom(lambda z: z @ A + b, z_star)).sum(), b)
    torch.testing.assert_close(first, g)


def test_phantom_is_the_first_term_of_the_neumann_series_of_implicit(problem, by_implicit):
    """``u = g + J^T g + ...``: phantom sends ``g`` through ``F``, implicit all of ``u``."""
    operator, x, loss = problem
    x = x.clone().requires_grad_()
    z_star = fixed_point(operator, x)
    z = z_star.clone().requires_grad_()
    image = operator(z, x)
    (g,) = torch.autograd.grad(loss(image), image, retain_graph=True)
    parameters = [*operator.parameters(), x]

    def through(u):
        return torch.autograd.grad(image, parameters, u, retain_graph=True)

    found = gradients(loss(phantom(lambda z: operator(z, x), z_star)), operator, x)
    for a, b in zip(found, through(g), strict=True):
        torch.testing.assert_close(a, b)
    u, term = g, g
    for _ in range(60):
        (term,) = torch.autograd.grad(image, z, term, retain_graph=True)
        u = u + term
    for a, b in zip(by_implicit, through(u), strict=True):
        close(a, b)
    assert not torch.allclose(found[-1], by_implicit[-1], rtol=1e-2)


@pytest.mark.parametrize("gradient", AT_EQUILIBRIUM.values())
def test_the_equilibrium_itself_is_unchanged(problem, gradient):
    operator, x, _ = problem
    z_star = fixed_point(operator, x)
    torch.testing.assert_close(gradient(lambda z: operator(z, x), z_star).detach(), z_star)


def test_single_precision_will_do(problem, by_implicit):
    operator, x, _ = problem
    z_star = fixed_point(operator, x).float()
    operator, x = operator.float(), x.float().requires_grad_()
    z = implicit(lambda z: operator(z, x), z_star)
    weight = normal(2, N, D, seed=5).float()
    for a, b in zip(gradients((weight * z.sin()).sum(), operator, x), by_implicit, strict=True):
        torch.testing.assert_close(a.double(), b, rtol=1e-3, atol=1e-4)


def test_where_there_is_no_exact_gradient_the_log_says_so_and_the_others_have_theirs(caplog):
    """``F(z) = z + b`` has ``I - J = 0``: no equilibrium depends smoothly on ``b``."""
    b, half = normal(3, N, D).requires_grad_(), torch.tensor([0.5, 1.0, 0.5]).double()
    g = normal(3, N, D, seed=2)
    z = implicit(lambda z: half[:, None, None] * z + b, normal(3, N, D, seed=1))
    (found,) = torch.autograd.grad((g * z).sum(), b)
    assert "1 of 3 clouds did not converge" in caplog.text
    torch.testing.assert_close(found[[0, 2]], 2 * g[[0, 2]])
    torch.testing.assert_close(found[1], g[1])  # the phantom gradient


def test_where_it_converges_the_log_is_silent(problem, caplog):
    operator, x, loss = problem
    z = implicit(lambda z: operator(z, x), fixed_point(operator, x))
    loss(z).backward()
    assert not caplog.text


def test_a_loss_of_the_image_alone_has_its_plain_gradient(problem):
    """How far ``F(z*)`` is from ``z*`` says nothing of how an equilibrium moves."""
    operator, x, loss = problem
    x, z_star = x.clone().requires_grad_(), normal(2, N, D, seed=6)
    image = operator(z_star, x)
    z = implicit(lambda z: operator(z, x), z_star, image=image)
    both = gradients(loss(image) + 0 * z.sum(), operator, x)
    plain = gradients(loss(operator(z_star, x)), operator, x)
    for a, b in zip(both, plain, strict=True):
        torch.testing.assert_close(a, b)


@pytest.fixture(scope="module")
def shipped():
    """The shipped digit model and 24 digits, solved as its card says."""
    checkpoint = load("digits")
    x, mask = collate([prepare(load_gallery().cloud(10 * i), checkpoint.card) for i in range(24)])
    settings = with_defaults(checkpoint.card, {})
    settings = replace(settings, limits=replace(settings.limits, steps=200))
    encoded, z0 = checkpoint.model.encode(x, mask), checkpoint.model.start(range(24))
    end = flow_of(encoded, z0, settings, velocity=False).run()
    return checkpoint.model, x, mask, end.particles


def of_digits(shipped, rows, dtype) -> torch.Tensor:
    """The implicit gradient of a loss in the digits' points, ``(B, M, 2)``."""
    model, x, mask, z = shipped
    model = copy.deepcopy(model).to(dtype)
    points = x[rows].to(dtype).requires_grad_()
    operator = partial(model.operator, context=model.operator.encode(points, mask[rows]))
    found = implicit(operator, z[rows].to(dtype))
    loss = model.logits(found).log_softmax(1)[:, 0].sum()
    return torch.autograd.grad(loss, points)[0]


def test_a_batch_of_real_digits_has_exact_gradients_in_single_precision(shipped, caplog):
    found = of_digits(shipped, slice(None), torch.float32)
    assert not caplog.text and found.isfinite().all()
    few = [4, 6, 17]  # those whose equations are worst conditioned
    exact = of_digits(shipped, few, torch.float64)
    for row, expected in zip(found[few].double(), exact, strict=True):
        assert (row - expected).norm() < 1e-3 * expected.norm()


def test_gradients_of_the_model_reach_every_parameter_of_the_operator(new_classifier):
    """Encoder included: the input's keys and values carry gradients too."""
    model = new_classifier().eval()
    context = model.operator.encode(torch.randn(2, 6, 2, generator=torch.manual_seed(0)))
    image = phantom(partial(model.operator, context=context), model.start([0, 1]))
    model.logits(image).square().sum().backward()
    silent = {n for n, p in model.named_parameters() if p.grad is None or not p.grad.any()}
    assert not silent


# A few damped applications


@pytest.mark.parametrize("damping", [0.4, 1.0])
@pytest.mark.parametrize("steps", [1, 2, 7])
def test_damped_applications_are_a_damped_neumann_series(steps, damping):
    """``dL/db = a sum_j ((1 - a) I + a A^T)^j g`` over the first terms, for ``F(z) = z A + b``."""
    A = normal(D, D)
    A = 0.6 * A / torch.linalg.matrix_norm(A, 2)
    b, g = normal(1, N, D, seed=1).requires_grad_(), normal(1, N, D, seed=2)
    z_star = (b @ torch.linalg.inv(torch.eye(D) - A)).detach()
    z = phantom_k(lambda z: z @ A + b, z_star, steps, damping)
    torch.testing.assert_close(z.detach(), z_star)
    (found,) = torch.autograd.grad((g * z).sum(), b)
    turn = (1 - damping) * torch.eye(D) + damping * A.T
    expected, term = torch.zeros_like(g), damping * g
    for _ in range(steps):
        expected, term = expected + term, term @ turn
    torch.testing.assert_close(found, expected)


def test_many_damped_applications_are_exact_and_one_is_the_phantom(problem, by_implicit):
    operator, x, loss = problem
    x = x.clone().requires_grad_()
    z_star = fixed_point(operator, x)

    def by(gradient, **settings):
        z = gradient(lambda z: operator(z, x), z_star, **settings)
        return gradients(loss(z), operator, x)

    for a, b in zip(by(phantom_k, steps=60), by_implicit, strict=True):
        close(a, b)
    for a, b in zip(by(phantom_k, steps=1, damping=1.0), by(phantom), strict=True):
        torch.testing.assert_close(a, b)


# Reversible


def apart(operator, x):
    """The toy operator as a function of its input's past: what it needs of ``x`` is computed."""
    seen = (2 * x).sin()  # no leaf
    return lambda z, seen, *_: operator(z, seen), (seen, *operator.parameters())


def unrolled(function, inputs, z0, steps, damping):
    y = z = z0
    for _ in range(steps):
        y = (1 - damping) * y + damping * function(z, *inputs)
        z = (1 - damping) * z + damping * function(y, *inputs)
    return z


@pytest.mark.parametrize("steps, damping", [(0, 0.5), (1, 0.5), (12, 0.5), (8, 0.8), (10, 1.4)])
def test_reversible_is_the_unrolled_iteration_with_its_gradient(problem, steps, damping):
    operator, x, loss = problem
    found = []
    for solve in (reversible, unrolled):
        leaf, z0 = x.clone().requires_grad_(), normal(2, N, D, seed=7).requires_grad_()
        z = solve(*apart(operator, leaf), z0, steps, damping)
        value = loss(z) + 0 * sum(p.sum() for p in operator.parameters()) + 0 * leaf.sum()
        wanted = [*operator.parameters(), leaf, z0]
        found.append((z.detach(), *torch.autograd.grad(value, wanted)))
    for a, b in zip(*found, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-10, atol=1e-10)
    if steps:  # the start is all but forgotten
        assert all(part.abs().max() > 1e-4 for part in found[0][:-1])


def test_reversible_gradients_of_a_model_are_those_of_unrolling(new_classifier):
    """Encoder, dropout and read-out included; every parameter."""
    model = new_classifier().double()
    x, z0 = normal(3, 6, 2), normal(3, 5, 16, seed=1)
    mask = torch.arange(6) < torch.tensor([[6], [4], [2]])
    found = []
    for solve in (reversible, unrolled):
        torch.manual_seed(0)
        z = solve(*model.encode(x, mask, twice=True).apart, z0, 6, 0.5)
        found.append(torch.autograd.grad(model.logits(z).square().sum(), [*model.parameters()]))
    for a, b in zip(*found, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-9, atol=1e-10 * b.abs().max().item())


def test_what_needs_no_gradient_gets_none(problem):
    operator, x, loss = problem
    operator.V.requires_grad_(False)
    z = reversible(*apart(operator, x), normal(2, N, D, seed=7), 4)
    loss(z).backward()
    assert operator.V.grad is None and operator.W.grad.abs().max() > 1e-4


def test_reversible_memory_is_constant_in_the_steps(problem):
    operator, x, _ = problem

    def kept(solve, steps):
        z0 = normal(2, N, D, seed=7)
        return graph_bytes(lambda: solve(*apart(operator, x), z0, steps, 0.5))

    assert kept(reversible, 2) == kept(reversible, 40)
    assert kept(unrolled, 40) > 10 * kept(unrolled, 2)


def test_reversible_ends_at_the_fixed_point_with_the_exact_gradient(problem, by_implicit):
    operator, x, loss = problem
    x = x.clone().requires_grad_()
    inputs = (x, *operator.parameters())
    z = reversible(lambda z, x, *_: operator(z, x), inputs, normal(2, N, D, seed=7), 18, 0.7)
    torch.testing.assert_close(z.detach(), fixed_point(operator, x), rtol=1e-6, atol=1e-6)
    for a, b in zip(gradients(loss(z), operator, x), by_implicit, strict=True):
        close(a, b, rtol=1e-3, atol=1e-5)


def test_reversible_will_do_in_single_precision(problem):
    operator, x, loss = problem
    operator, x = operator.float(), x.float()
    z0, found = normal(2, N, D, seed=7).float(), []
    for solve in (reversible, unrolled):
        z = solve(*apart(operator, x), z0, 12, 0.5)
        assert z.dtype == torch.float32
        found.append(torch.autograd.grad(loss(z), [*operator.parameters()]))
    for a, b in zip(*found, strict=True):
        torch.testing.assert_close(a, b, rtol=1e-2, atol=1e-4)


@pytest.mark.parametrize("damping", [0.0, 1.0, 2.0])
def test_a_step_that_cannot_be_undone_is_refused(problem, damping):
    operator, x, _ = problem
    with pytest.raises(ValueError, match="undone"):
        reversible(*apart(operator, x), normal(2, N, D), 3, damping)
